package dash

import (
	"testing"

	"github.com/skynet-ec2/skynet/reports/chart/browsertest"
)

// TestInBrowser logs in as people do and watches the page renew itself, in both
// themes; the content security policy must let all of it through.
func TestInBrowser(t *testing.T) {
	_, web, _, _ := serve(t)
	b := browsertest.Open(t)
	for _, theme := range []browsertest.Theme{browsertest.Light, browsertest.Dark} {
		p := b.Page(t, web.URL+"/", theme)
		p.Axe(t)
		browsertest.Eval[bool](t, p, `new Promise(done => {
			if (!document.getElementById("token")) { done(true); return } // the session of the other theme
			document.getElementById("token").value = "`+operatorToken+`";
			document.querySelector("form").submit();
			done(true);
		})`)
		for range 100 { // the form is on its way: look until its answer is there
			if p = b.Page(t, web.URL+"/", theme); browsertest.Eval[bool](t, p, `document.getElementById("live") !== null`) {
				break
			}
		}
		live := browsertest.Eval[string](t, p, `new Promise(done => {
			const wait = () => document.getElementById("link")?.textContent === "live" ? done(document.getElementById("live").textContent) : setTimeout(wait, 20);
			wait();
		})`)
		shot(t, p, "queue-"+string(theme))
		if len(live) < 100 {
			t.Errorf("the page shows %q", live)
		}
		if scripts := browsertest.Eval[int](t, p, `document.querySelectorAll("#live script").length`); scripts > 0 {
			t.Error("a job type became a script")
		}
		p.Axe(t)
	}
}
