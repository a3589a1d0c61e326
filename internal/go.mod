module github.com/obby/go-services/internal

go 1.26
