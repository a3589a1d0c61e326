module github.com/obby/go-services/deploy/bench

go 1.26.0

require (
	github.com/obby/go-services/deploy/run v0.0.0
	github.com/obby/go-services/internal v0.0.0
	github.com/obby/go-services/proto v0.0.0
	golang.org/x/sys v0.49.0
	google.golang.org/grpc v1.85.0
	google.golang.org/protobuf v1.36.12
)

require (
	github.com/mattn/go-sqlite3 v1.14.53 // indirect
	golang.org/x/net v0.60.0 // indirect
	golang.org/x/text v0.42.0 // indirect
	google.golang.org/genproto/googleapis/api v0.0.0-20260817212433-ac3dfec99bb1 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20261104224025-d1e00e9f33ab // indirect
)

replace (
	github.com/obby/go-services/deploy/run => ../run
	github.com/obby/go-services/internal => ../../internal
	github.com/obby/go-services/proto => ../../proto
)
