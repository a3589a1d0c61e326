package main

import (
	"context"
	"errors"
)

func check(context.Context, options) (any, error) { return nil, errors.New("not yet") }
