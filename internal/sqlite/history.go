package sqlite

import "math"

// AnyStep is an id after that of every step.
const AnyStep = math.MaxInt64

// FilesAt selects path and version_id of the next files, by path, that existed at
// or below a path at a time. Parameters: ?1 the path, ?2 the path with a '/' behind
// it, ?3 the path with a '0' behind it, which is the character after '/', ?4 the
// time as obby_time gives it, ?5 the path after which to begin, ?6 and ?7 ids
// between which, ?7 included, every step is known to be later than the time, AnyStep
// both where nothing is known, ?8 how many. It stands here because two services must
// agree on it.
//
// The newest step of a path, by id, says where it stood: nowhere where that
// removed it, or where a later one carried it off. A path of the Python side may
// have versions and no steps: then its newest version then is what it had.
// The paths of both tables are found one after the other, each by one look into the
// index, so that a page costs what its paths cost and not what the folder holds.
const FilesAt = `WITH RECURSIVE paths (path) AS (
	SELECT min(path) FROM (
		SELECT min(file_path) AS path FROM content_diffs WHERE file_path >= max(?1, ?5) AND file_path < ?3 AND (file_path = ?1 OR file_path >= ?2) AND file_path <> ?5
		UNION ALL
		SELECT min(file_path) FROM file_versions WHERE file_path >= max(?1, ?5) AND file_path < ?3 AND (file_path = ?1 OR file_path >= ?2) AND file_path <> ?5)
	UNION ALL
	SELECT (SELECT min(next) FROM (
		SELECT min(file_path) AS next FROM content_diffs WHERE file_path > paths.path AND file_path >= ?2 AND file_path < ?3
		UNION ALL
		SELECT min(file_path) FROM file_versions WHERE file_path > paths.path AND file_path >= ?2 AND file_path < ?3))
	FROM paths WHERE path IS NOT NULL)
SELECT path, version_id FROM (
	SELECT path, CASE WHEN EXISTS (SELECT 1 FROM content_diffs WHERE file_path = path) THEN
		(SELECT d.new_version_id FROM content_diffs d WHERE d.id =
			ifnull((SELECT id FROM content_diffs WHERE file_path = path AND id > ?7 AND obby_time(timestamp) <= ?4 ORDER BY id DESC LIMIT 1),
				(SELECT id FROM content_diffs WHERE file_path = path AND id <= ?6 AND obby_time(timestamp) <= ?4 ORDER BY id DESC LIMIT 1))
			AND NOT EXISTS (SELECT 1 FROM obby_diffs o JOIN content_diffs m ON m.id = o.diff_id
				WHERE o.old_path = path AND m.id > d.id AND obby_time(m.timestamp) <= ?4))
		ELSE (SELECT id FROM file_versions WHERE file_path = path AND obby_time(timestamp) <= ?4 ORDER BY id DESC LIMIT 1) END AS version_id
	FROM paths WHERE path IS NOT NULL LIMIT -1) -- so that it is not worked out twice
WHERE version_id IS NOT NULL LIMIT ?8`

// StepsEnd selects the newest step that both content_diffs and the blocks of obby_steps
// can have: data of its block, id, and timestamp as it is stored; no row where there is
// none. Where the block bears another time for that id, the blocks are of other rows: a
// program emptied the table, and ids began anew. (With the + the driver leaves the time
// as it is.)
const StepsEnd = `SELECT s.data, newest.id, newest.stored FROM (
	SELECT id, +timestamp AS stored FROM content_diffs
	WHERE id <= (SELECT last_id FROM obby_steps WHERE first_id = (SELECT max(first_id) FROM obby_steps)) ORDER BY id DESC LIMIT 1) newest
CROSS JOIN obby_steps s ON s.first_id = (SELECT max(first_id) FROM obby_steps WHERE first_id <= newest.id)`
