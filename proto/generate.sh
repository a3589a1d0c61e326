#!/usr/bin/env bash
# Generates the Go and Python code of the contract from obby/**/*.proto.
# Usage: generate.sh TOOLS GO_OUT PYTHON_OUT [IMAGE]   (see `make generate`)
#   TOOLS       directory made by `make tools`: venv/ with grpcio-tools, bin/ with the Go plugins
#   GO_OUT      replaced: Go code
#   PYTHON_OUT  its obby/, obby_clients/_googleapis/ and obby_clients/fallback/schema/ are replaced
#   IMAGE       optional: a descriptor set of the contract, for buf
set -euo pipefail
tools=$1 go_out=$2 python_out=$3 image=${4:-}
cd "$(dirname "$0")"

python=$tools/venv/bin/python
googleapis=$("$python" -c 'import google.rpc, os; print(os.path.dirname(os.path.dirname(list(google.rpc.__path__)[0])))')
mapfile -t protos < <(find obby -name '*.proto' | LC_ALL=C sort)
protoc() { PATH="$tools/venv/bin:$tools/bin:$PATH" "$python" -m grpc_tools.protoc -I . -I "$googleapis" "$@"; }

rm -rf "$go_out" && mkdir -p "$go_out"
module=github.com/obby/go-services/proto/gen
protoc --go_out="$go_out" --go_opt=module=$module --go-grpc_out="$go_out" --go-grpc_opt=module=$module "${protos[@]}"

rm -rf "$python_out/obby" "$python_out/obby_clients/_googleapis"
protoc --python_out="$python_out" --mypy_out=quiet:"$python_out" \
  --grpc_python_out="$python_out" --mypy_grpc_out=quiet:"$python_out" "${protos[@]}"
# google.rpc and google.api, for installations without googleapis-common-protos (see obby_clients/_rpc_types.py).
mkdir -p "$python_out/obby_clients/_googleapis"
protoc --python_out="$python_out/obby_clients/_googleapis" google/rpc/status.proto google/rpc/error_details.proto \
  google/api/annotations.proto google/api/http.proto

# The database's statements: the Python fallbacks make and adopt the same file.
rm -rf "$python_out/obby_clients/fallback/schema"
mkdir -p "$python_out/obby_clients/fallback/schema"
cp ../internal/sqlite/{schema,obby,steps}.sql "$python_out/obby_clients/fallback/schema/"
# What the search index makes of each character.
mkdir -p "$python_out/obby_clients/fallback/_query"
cp ../query-service/internal/query/unicode61.txt "$python_out/obby_clients/fallback/_query/"

if [ -n "$image" ]; then
  protoc --include_imports --include_source_info --descriptor_set_out="$image" "${protos[@]}"
fi
