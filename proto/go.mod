module github.com/obby/go-services/proto

go 1.26
