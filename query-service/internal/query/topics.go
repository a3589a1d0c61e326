package query

import "context"

// TopicResults is a page of a topic's files.
type TopicResults struct {
	Files     Page[TopicFile]
	ByContent bool  // the database has no summaries: by the words of the topic
	Before    int64 // ByContent: where the next page begins
}

// TopicFiles returns the files that bear a topic, latest first: by the summaries,
// or, where the database has none at all, by the words of the topic in the newest
// contents and paths. Then it returns ErrNoIndex where there is no search index.
func TopicFiles(ctx context.Context, finder Finder, q TopicQuery) (TopicResults, error) {
	summarized, err := finder.Summarized(ctx)
	if err != nil {
		return TopicResults{}, err
	}
	if summarized {
		files, err := finder.TopicFiles(ctx, q)
		return TopicResults{Files: files}, err
	}
	sought := parsePlain(shownPath(q.Topic))
	found := TopicResults{ByContent: true}
	if sought.Empty() {
		return found, nil
	}
	size, read := 0, 0
	err = finder.Newest(ctx, FilesQuery{Match: sought.Match, Before: q.Before}, func(f Found) bool {
		if found.Files.More = len(found.Files.Items) == q.Limit || size > PageBytes || read > maxScan; found.Files.More {
			return false
		}
		found.Before = f.Version
		if read += sought.cost(f.Content); sought.In(ctx, shownPath(f.Path), f.Content) {
			file := TopicFile{Path: f.Path, Latest: f.Observed}
			size += file.Size()
			found.Files.Items = append(found.Files.Items, file)
		}
		return true
	})
	return found, err
}
