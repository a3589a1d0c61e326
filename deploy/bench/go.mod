module github.com/obby/go-services/deploy/bench

go 1.26.0
