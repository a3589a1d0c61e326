package web

import (
	"embed"
	"net/http"
)

//go:embed page
var page embed.FS

// policy allows the page its own files and its own hub, and nobody to frame
// it. The icon is in the page itself.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

// servePage returns a handler of one embedded file. Its type is given and not
// looked up: the machine's own tables may name another.
func servePage(name, contentType string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", contentType)
		h.Set("Content-Security-Policy", policy)
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-cache") // another version of the hub has another page
		http.ServeFileFS(w, r, page, "page/"+name)
	}
}
