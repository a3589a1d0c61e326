package sqlitetest

// created stands in created_at and updated_at, which are UTC.
const created = "2024-03-05 10:11:20"

func legacyVersions() [][]any {
	row := func(id int, path, text string, lines int, at any, description string) []any {
		return []any{id, path, Hash(text), text, lines, at, description, created}
	}
	return [][]any{
		row(NoteFirst, NotePath, NoteFirstText, 1, "2024-03-05 09:00:00.000001", "File created"),
		row(NoteSecond, NotePath, NoteSecondText, 2, TimeMicros, "File modified"),
		row(PlanVersion, PlanPath, PlanText, 2, TimeT, "File created"),
		row(GoneVersion, GonePath, GoneText, 1, TimeSeconds, "File created"),
		row(FromVersion, FromPath, MovedText, 1, TimeSeconds, "File created"),
		row(MovedVersion, MovedPath, MovedText, 1, TimeOffset, "File moved"),
		row(LogVersion, LogPath, LogText, 1, TimeInteger, "File created"),
		row(OtherVersion, OtherPath, OtherText, 1, TimeReal, "File created"),
	}
}

// legacyDiffs holds a return to an earlier content: row 3 points back to the
// first version.
var legacyDiffs = [][]any{
	{1, NotePath, nil, NoteFirst, "created", "--- /dev/null\n\n+++ b/todo.md\n\n@@ -0,0 +1 @@\n\n+buy milk\n\n", 1, 0, "2024-03-05 09:00:00.000001", created},
	{2, NotePath, NoteFirst, NoteSecond, "modified", NoteDiff, 1, 0, TimeMicros, created},
	{3, NotePath, NoteSecond, NoteFirst, "modified", "--- a/todo.md\n\n+++ b/todo.md\n\n@@ -1,2 +1 @@\n\n buy milk\n\n-buy bread\n\n", 0, 1, TimeSeconds, created},
	{4, PlanPath, nil, PlanVersion, "created", "", 2, 0, TimeT, created},
	{5, GonePath, nil, GoneVersion, "created", "", 1, 0, TimeSeconds, created},
	{6, GonePath, GoneVersion, nil, "deleted", "--- a/old.txt\n\n+++ /dev/null\n\n@@ -1 +0,0 @@\n\n-obsolete\n\n", 0, 1, TimeSeconds, created},
	{7, FromPath, nil, FromVersion, "created", "", 1, 0, TimeSeconds, created},
	{8, MovedPath, FromVersion, MovedVersion, "moved", nil, 0, 0, TimeOffset, created},
	{9, LogPath, nil, LogVersion, "created", "", 1, 0, TimeInteger, created},
	{10, OtherPath, nil, OtherVersion, "created", "", 1, 0, TimeReal, created},
}

func legacyChanges() [][]any {
	row := func(path, kind string, before, after any, at any) []any {
		key, _ := after.(string)
		return []any{path, kind, before, after, at, Hash(path + kind + key), created}
	}
	return [][]any{
		row(NotePath, "created", nil, Hash(NoteFirstText), "2024-03-05 09:00:00.000001"),
		row(NotePath, "modified", Hash(NoteFirstText), Hash(NoteSecondText), TimeMicros),
		row(NotePath, "modified", Hash(NoteSecondText), Hash(NoteFirstText), TimeSeconds),
		row(GonePath, "deleted", Hash(GoneText), nil, TimeSeconds),
		row(LogPath, "created", nil, Hash(LogText), TimeInteger),
	}
}

var legacyEvents = [][]any{
	{"created", NotePath, "2024-03-05 09:00:00.000001", 9, true},
	{"modified", NotePath, TimeMicros, 19, true},
	{"deleted", GonePath, TimeSeconds, nil, false},
	{"created", LogPath, TimeInteger, 8, false},
}

func legacyStates() [][]any {
	row := func(path string, hash any, at any, lines, size int) []any {
		return []any{path, hash, at, lines, size, created}
	}
	return [][]any{
		row(NotePath, Hash(NoteFirstText), TimeSeconds, 1, 9),
		row(PlanPath, Hash(PlanText), TimeT, 2, 26),
		row(GonePath, nil, TimeSeconds, 0, 0),
		row(FromPath, nil, TimeOffset, 0, 0),
		row(MovedPath, Hash(MovedText), TimeOffset, 1, 8),
		row(LogPath, Hash(LogText), TimeInteger, 1, 8),
		row(OtherPath, Hash(OtherText), TimeReal, 1, 18),
	}
}

var legacyEntries = [][]any{
	{1, NoteSecond, TimeMicros, "2024-03-05", "10:11:12", "content", "A shopping list", "minor", NotePath, "shopping milk bread", created},
	{2, PlanVersion, TimeT, "2024-03-05", "10:11:12", "content", "Plans in Go", "moderate", PlanPath, "plans go café", created},
	{3, nil, TimeInteger, "2024-03-05", "10:11:12", "tree", "Folder reordered", "minor", nil, "folder", created},
	{4, OtherVersion, TimeReal, "2024-03-05", "10:11:12", "content", "On golang", "minor", OtherPath, "golang", created},
}

var legacySearch = [][]any{
	{1, "A shopping list", "shopping milk bread"}, {2, "Plans in Go", "plans go café"},
	{3, "Folder reordered", "folder"}, {4, "On golang", "golang"},
}

var (
	legacyTopics   = [][]any{{1, "shopping"}, {1, "home"}, {2, "go"}, {2, "planning"}, {3, "home"}, {4, "golang"}}
	legacyKeywords = [][]any{{1, "milk"}, {1, "bread"}, {2, "café"}, {4, "milk"}}
)

// legacyAnalysis holds topics in both of their forms.
func legacyAnalysis() [][]any {
	return [][]any{
		{PlanPath, Hash(PlanText), "Plans", "go, databases", "plan,café", "moderate", TimeT},
		{OtherPath, Hash(OtherText), "Language", `["golang", "databases"]`, `["milk"]`, "minor", TimeSeconds},
		{LogPath, nil, nil, "", nil, nil, TimeInteger},
	}
}
