module github.com/obby/go-services/deploy/run

go 1.26.0
