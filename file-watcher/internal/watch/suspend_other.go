//go:build !linux

package watch

// resumes never has a value: on other systems the safety scan alone finds what
// happened while the machine was suspended.
type resumes struct{ wake chan struct{} }

func watchResumes() *resumes { return &resumes{} }

func (r *resumes) close() {}
