package store

import (
	"context"
	"fmt"

	"github.com/obby/go-services/internal/stepindex"
	"github.com/obby/go-services/query-service/internal/query"
)

// selectCounted is what a block would hold of rows. Their paths may have no number yet.
var selectCounted = "SELECT " + packed(number("id"), text("file_path"), text("change_type"), number("added"), number("removed"), stamp("timestamp"), number("path_id")) + `
FROM (SELECT d.id, d.file_path, d.change_type, CAST(ifnull(d.lines_added, 0) AS INTEGER) AS added,
	CAST(ifnull(d.lines_removed, 0) AS INTEGER) AS removed, d.timestamp, (SELECT path_id FROM obby_paths p WHERE p.file_path = d.file_path) AS path_id
	FROM content_diffs d WHERE d.id > ? AND d.id < ? ORDER BY d.id LIMIT ?+0)`

// rows counts the rows between two ids.
func (c *counter) rows(ctx context.Context, after, before int64) error {
	for {
		u, err := c.packed(ctx, selectCounted, after, before, rowsAtOnce)
		if err != nil {
			return err
		}
		var b stepindex.Block
		n := 0
		for ; u.more(); n++ {
			after = u.number()
			path := u.path()
			kind, _ := u.text()
			added, removed, at := u.number(), u.number(), u.micros()
			number, known := u.nullable()
			if !query.Below(path, c.prefix) {
				continue
			}
			if !known {
				number = c.number(path)
			}
			b.Add(after, at, number, stepindex.Type(kind), added, removed)
		}
		c.count(&b)
		if n < rowsAtOnce {
			return nil
		}
	}
}

// number gives a number to a path that has none.
func (c *counter) number(path string) int64 {
	number, ok := c.others[path]
	if !ok {
		number = c.most + 1 + int64(len(c.others))
		c.others[path] = number
	}
	return number
}

// namesAtOnce is how many paths are read at once.
const namesAtOnce = 1000

var selectNames = fmt.Sprintf("SELECT %s FROM (SELECT path_id, file_path FROM obby_paths WHERE path_id > ? ORDER BY path_id LIMIT ?+0)",
	packed(number("path_id"), text("file_path")))

// names names every path.
func (c *counter) names(ctx context.Context, name func(int64, string)) error {
	for path, number := range c.others {
		name(number, path)
	}
	after := int64(0)
	for {
		u, err := c.packed(ctx, selectNames, after, namesAtOnce)
		if err != nil {
			return err
		}
		n := 0
		for ; u.more(); n++ {
			after = u.number()
			name(after, u.path())
		}
		if n < namesAtOnce {
			return nil
		}
	}
}
