package sqlite

// FilesAt selects path and version_id of the next files, by path, that existed at
// or below a path at a time. Parameters: ?1 the path, ?2 the path with a '/' behind
// it, ?3 the path with a '0' behind it, which is the character after '/', ?4 the
// time as obby_time gives it, ?5 the path after which to begin, ?6 how many. It
// stands here because two services must agree on it.
//
// The newest step of a path, by id, says where it stood: nowhere where that
// removed it, or where a later one carried it off. A path of the Python side may
// have versions and no steps: then its newest version then is what it had.
const FilesAt = `SELECT path, version_id FROM (
	SELECT file_path AS path, new_version_id AS version_id, max(id) AS step FROM content_diffs
	WHERE file_path >= max(?1, ?5) AND file_path < ?3 AND (file_path = ?1 OR file_path >= ?2) AND file_path <> ?5
		AND obby_time(timestamp) <= ?4
	GROUP BY file_path
	HAVING new_version_id IS NOT NULL AND NOT EXISTS (
		SELECT 1 FROM obby_diffs o JOIN content_diffs d ON d.id = o.diff_id
		WHERE o.old_path = path AND d.id > step AND obby_time(d.timestamp) <= ?4)
	ORDER BY file_path LIMIT ?6)
UNION ALL
SELECT path, version_id FROM (
	SELECT file_path AS path, max(id) AS version_id FROM file_versions v
	WHERE file_path >= max(?1, ?5) AND file_path < ?3 AND (file_path = ?1 OR file_path >= ?2) AND file_path <> ?5
		AND obby_time(timestamp) <= ?4 AND NOT EXISTS (SELECT 1 FROM content_diffs d WHERE d.file_path = v.file_path)
	GROUP BY file_path
	ORDER BY file_path LIMIT ?6)
ORDER BY path LIMIT ?6`
