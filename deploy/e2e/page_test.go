package e2e

import (
	"context"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/deploy/run/stack"
)

// browser is a real browser that shows the live page and ends with the test.
type browser struct {
	ctx     context.Context
	console iter.Seq2[chromedp.ConsoleMessage, error]
}

func browse(t *testing.T, url string) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.WindowSize(1200, 900), chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true))
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stop := chromedp.NewContext(allocator)
	t.Cleanup(func() { _ = chromedp.Cancel(ctx); stop(); stopAllocator() })
	b := &browser{ctx, chromedp.Console(ctx)}
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		t.Fatalf("browser: %v", err)
	}
	b.await(t, "live")
	return b
}

// await waits until the page is in a state: connecting, live, reconnecting.
func (b *browser) await(t *testing.T, state string) {
	t.Helper()
	eventually(t, "the page is "+state, func() bool { return evaluate[string](t, b, `document.documentElement.dataset.state`) == state })
}

// chromium finds the browser. Without one the test is skipped; where CI is set its
// absence is a failure.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("no Chromium found: install it, the live page must be tested here")
	}
	t.Skip("NO CHROMIUM FOUND: the live page is not tested; install one (Debian: apt-get install chromium)")
	return ""
}

// evaluate returns the value of a JavaScript expression.
func evaluate[T any](t *testing.T, b *browser, expression string) T {
	t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("browser: %v", err)
	}
	return value
}

// shown lists the changes on the page, oldest first: "type path".
func (b *browser) shown(t *testing.T) []string {
	t.Helper()
	return evaluate[[]string](t, b, `[...document.querySelectorAll("#changes > li")].reverse().map((li) =>
		li.querySelector(".kind").textContent + " " + li.querySelector(".directory").textContent + li.querySelector(".name").textContent)`)
}

// complaints lists the page's own console errors and uncaught exceptions. That a
// connection is refused while the hub is down, the browser says by itself.
func (b *browser) complaints(t *testing.T) (list []string) {
	t.Helper()
	const end = "that is all"
	evaluate[bool](t, b, `(console.log("`+end+`"), true)`)
	for message, err := range b.console {
		if err != nil {
			return append(list, err.Error())
		}
		if message.Text == end {
			return list
		}
		if message.IsException() || message.Type == "error" && message.Source == "" {
			list = append(list, message.String())
		}
	}
	return list
}

// expect waits until the page shows just these changes, oldest first.
func (b *browser) expect(t *testing.T, want ...string) {
	t.Helper()
	eventually(t, fmt.Sprintf("the page shows %q", want), func() bool { return cmp.Equal(want, b.shown(t)) })
}

// screenshot is kept where OBBY_SCREENSHOTS names a folder.
func (b *browser) screenshot(t *testing.T, name string) {
	t.Helper()
	dir := os.Getenv("OBBY_SCREENSHOTS")
	if dir == "" {
		return
	}
	evaluate[bool](t, b, `Promise.all(document.getAnimations().map((a) => a.finished)).then(() => true)`)
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatalf("browser: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o644); err != nil {
		t.Fatal(err)
	}
}

// The page shows each change once, also when tracker and hub were killed.
func TestPage(t *testing.T) {
	w := startWorld(t, "")
	page := browse(t, "http://"+w.Get(stack.Hub).Addr["http"]+"/")

	write(t, w.path("notes/a.md"), "hi\n<script>document.title = 'owned'</script>\n")
	page.expect(t, "created notes/a.md")
	title, diff := evaluate[string](t, page, `document.title`), evaluate[string](t, page, `document.querySelector("#changes .diff").innerText`)
	if title != "Obby" || !strings.Contains(diff, "<script>") {
		t.Errorf("title is %q, diff %q: what a file holds must stay text", title, diff)
	}
	write(t, w.path("notes/a.md"), "hi\nthere\n")
	page.expect(t, "created notes/a.md", "modified notes/a.md")
	write(t, w.path("todo.md"), "# To do\n\n- water the plants\n- call Ann\n")
	page.expect(t, "created notes/a.md", "modified notes/a.md", "created todo.md")
	page.screenshot(t, "page")

	w.kill(t, stack.Tracker, func() {
		write(t, w.path("todo.md"), "# To do\n\n- call Ann\n")
		remove(t, w.path("notes/a.md"))
	})
	eventually(t, "the page shows what happened while the tracker was down", func() bool { return len(page.shown(t)) == 5 })

	w.kill(t, stack.Hub, func() {
		page.await(t, "reconnecting")
		write(t, w.path("meanwhile.md"), "nobody listens\n")
	})
	page.await(t, "live")
	write(t, w.path("last.md"), "end\n")
	eventually(t, "hub case 66: the page shows what happened while the hub was down and after it", func() bool {
		shown := page.shown(t)
		return len(shown) == 7 && shown[5] == "created meanwhile.md" && shown[6] == "created last.md"
	})
	if evaluate[bool](t, page, `!document.getElementById("notice").hidden`) {
		t.Error("the page says that changes may be missing, and none is")
	}
	page.screenshot(t, "after-kill")
	if complaints := page.complaints(t); len(complaints) > 0 {
		t.Errorf("the page complains: %q", complaints)
	}
}

// A search in the contents: what is found is marked in its place, whatever stands
// before it, and stays text.
func TestPageSearch(t *testing.T) {
	w := startWorld(t, "")
	page := browse(t, "http://"+w.Get(stack.Hub).Addr["http"]+"/")
	write(t, w.path("notes/plan.md"), "# Pläne 🌱\n\nGärten & <b>Wege</b>: erst der Garten, dann das Haus\n")
	page.expect(t, "created notes/plan.md")
	write(t, w.path("other.md"), "nothing of that\n")
	page.expect(t, "created notes/plan.md", "created other.md")
	search := func(text string) {
		t.Helper()
		evaluate[bool](t, page, fmt.Sprintf(`(() => {
			const box = document.getElementById("filter");
			box.value = %q;
			return box.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true}));
		})()`, text))
	}
	marked := func() []string {
		return evaluate[[]string](t, page, `[...document.querySelectorAll("#found:not([hidden]) mark")].map((m) => m.textContent)`)
	}
	search("garten")
	eventually(t, "the word is marked, with and without its accent", func() bool { return cmp.Equal([]string{"Gärten", "Garten"}, marked()) })
	text := evaluate[string](t, page, `document.getElementById("found").innerText`)
	if !strings.Contains(text, "plan.md") || !strings.Contains(text, "<b>Wege</b>") || strings.Contains(text, "other.md") {
		t.Errorf("found is %q", text)
	}
	page.screenshot(t, "search")
	search("absent")
	eventually(t, "nothing is found", func() bool {
		return evaluate[string](t, page, `document.getElementById("found-count").textContent`) == "nothing" && len(marked()) == 0
	})
	search("pläne")
	eventually(t, "the word is marked", func() bool { return cmp.Equal([]string{"Pläne"}, marked()) })
	evaluate[bool](t, page, `document.dispatchEvent(new KeyboardEvent("keydown", {key: "Escape"}))`)
	if !evaluate[bool](t, page, `document.getElementById("found").hidden`) {
		t.Error("Escape leaves the answer open")
	}
	w.kill(t, stack.Query, func() {
		search("garten")
		eventually(t, "the page says why there is no answer", func() bool {
			return strings.Contains(evaluate[string](t, page, `document.getElementById("notice").innerText`), "query-service cannot be reached")
		})
	})
	if complaints := page.complaints(t); len(complaints) > 0 {
		t.Errorf("the page complains: %q", complaints)
	}
}
