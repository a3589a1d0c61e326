package sqlite_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/obby/go-services/internal/sqlite"
	"github.com/obby/go-services/internal/sqlitetest"
)

func TestObbyTime(t *testing.T) {
	path := sqlitetest.Legacy(t)
	writer := sqlitetest.Adopted(t, path)
	local := func(micro int) int64 {
		return time.Date(2024, 3, 5, 10, 11, 12, micro*1000, time.Local).UnixMicro()
	}
	for name, db := range map[string]*sql.DB{"writer": writer, "reader": reader(t, path)} {
		for id, want := range map[int]int64{
			sqlitetest.NoteSecond:   local(123456),
			sqlitetest.PlanVersion:  local(500000),
			sqlitetest.GoneVersion:  local(1000000),
			sqlitetest.MovedVersion: time.Date(2024, 3, 5, 10, 0, 0, 1000, time.UTC).UnixMicro(),
			sqlitetest.LogVersion:   sqlitetest.TimeInteger * 1e6,
			sqlitetest.OtherVersion: sqlitetest.TimeReal * 1e6,
		} {
			if got := scalar[int64](t, db, "SELECT obby_time(timestamp) FROM file_versions WHERE id = ?", id); got != want {
				t.Errorf("case 44: %s: obby_time of version %d is %d, want %d", name, id, got, want)
			}
			raw := scalar[any](t, db, "SELECT +timestamp FROM file_versions WHERE id = ?", id)
			if got, ok := sqlite.ParseTime(raw); !ok || got.UnixMicro() != want {
				t.Errorf("case 45: %s: ParseTime(%v) = %v, %v, want %d", name, raw, got, ok, want)
			}
		}
		for _, value := range []string{"NULL", "'yesterday'", "''", "x'00'"} {
			if got := scalar[sql.NullInt64](t, db, "SELECT obby_time("+value+")"); got.Valid {
				t.Errorf("%s: obby_time(%s) = %d, want NULL", name, value, got.Int64)
			}
		}
		byText := "SELECT id FROM file_versions WHERE id IN (3, 4) ORDER BY timestamp LIMIT 1"
		byTime := "SELECT id FROM file_versions WHERE id IN (3, 4) ORDER BY obby_time(timestamp) LIMIT 1"
		if scalar[int](t, db, byText) != sqlitetest.GoneVersion || scalar[int](t, db, byTime) != sqlitetest.PlanVersion {
			t.Errorf("case 46: %s: obby_time does not mend the order of texts", name)
		}
	}
}
