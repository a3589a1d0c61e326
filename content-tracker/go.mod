module github.com/obby/go-services/content-tracker

go 1.26

require (
	github.com/obby/go-services/proto v0.0.0
	github.com/obby/go-services/internal v0.0.0
)

replace (
	github.com/obby/go-services/proto => ../proto
	github.com/obby/go-services/internal => ../internal
)
