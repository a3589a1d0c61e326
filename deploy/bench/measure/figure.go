package measure

import "fmt"

// Figure is a measurement with what it should be.
type Figure struct {
	Value  float64 `json:"value"`
	Target string  `json:"target"`
	Met    bool    `json:"met"`
}

// AtMost is a figure that should be no larger than target.
func AtMost(value, target float64) Figure {
	return Figure{value, fmt.Sprintf("at most %g", target), value <= target}
}

// AtLeast is a figure that should be no smaller than target.
func AtLeast(value, target float64) Figure {
	return Figure{value, fmt.Sprintf("at least %g", target), value >= target}
}
