package probe_test

import (
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/toplu/toplu/internal/probe"
	"github.com/toplu/toplu/iyzico"
	"github.com/toplu/toplu/iyzico/iyzicotest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ask probes a simulator and returns its server and what was found.
func ask(t *testing.T, settings iyzicotest.Settings) (*iyzicotest.Server, []probe.Finding) {
	t.Helper()
	if settings.Balance == nil {
		settings.Balance = new(iyzicotest.Money(1_000_000))
	}
	settings.SettleWithin = iyzicotest.Duration(100 * time.Millisecond)
	server, err := iyzicotest.NewServer(iyzicotest.Config{Merchants: map[string]string{"sandbox-key": "sandbox-secret"}, Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(server)
	t.Cleanup(listener.Close)
	client, err := iyzico.New(iyzico.Config{BaseURL: listener.URL, APIKey: "sandbox-key", SecretKey: "sandbox-secret"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	p := probe.Probe{
		Client: client, RecipientType: iyzico.RecipientIBAN, Recipient: "TR470000100100000350930001", Name: "Ayşe Yılmaz",
		Run: "1", Wait: time.Second, Poll: 5 * time.Millisecond,
	}
	found, err := p.Do(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return server, found
}

// usual is what is found if no setting is set.
var usual = []string{
	"duplicateExternalId=reject", "duplicateOther=reject", "itemWithoutRequestId=false", "pageWithRequestId=false",
	"maskRecipients=false", "maxPageSize=0", "duplicateItem=invalid", "repeatedItem=accept", "unknownRequest=failure",
	"cancelAfterAuth=failure", "authAnswer=honest", "secondAuth=success",
}

// worlds are simulators that differ in one thing, with what is found there.
var worlds = map[string]struct {
	settings iyzicotest.Settings
	want     []string // instead of those in usual with the same key
}{
	"as by default":                {iyzicotest.Settings{}, nil},
	"init again is replayed":       {iyzicotest.Settings{DuplicateExternalID: iyzicotest.DuplicateReplay}, []string{"duplicateExternalId=replay"}},
	"init again makes another":     {iyzicotest.Settings{DuplicateExternalID: iyzicotest.DuplicateSecond}, []string{"duplicateExternalId=second"}},
	"other content is replayed":    {iyzicotest.Settings{DuplicateOther: iyzicotest.DuplicateReplay}, []string{"duplicateOther=replay"}},
	"other content makes another":  {iyzicotest.Settings{DuplicateOther: iyzicotest.DuplicateSecond}, []string{"duplicateOther=second"}},
	"no requestId in the item":     {iyzicotest.Settings{ItemWithoutRequestID: true}, []string{"itemWithoutRequestId=true"}},
	"the requestId in pages":       {iyzicotest.Settings{PageWithRequestID: true}, []string{"pageWithRequestId=true"}},
	"masks":                        {iyzicotest.Settings{MaskRecipients: true}, []string{"maskRecipients=true"}},
	"pages are cut":                {iyzicotest.Settings{MaxPageSize: 250}, []string{"pageOverflow=clamp, maxPageSize=250"}},
	"pages are refused":            {iyzicotest.Settings{MaxPageSize: 100, PageOverflow: iyzicotest.PageOverflowRefuse}, []string{"pageOverflow=refuse, maxPageSize=100"}},
	"twice in a batch is taken":    {iyzicotest.Settings{DuplicateItem: iyzicotest.DuplicateItemAccept}, []string{"duplicateItem=accept"}},
	"twice in a batch is refused":  {iyzicotest.Settings{DuplicateItem: iyzicotest.DuplicateItemReject}, []string{"duplicateItem=reject"}},
	"ids are used up":              {iyzicotest.Settings{RepeatedItem: iyzicotest.RepeatedItemInvalid}, []string{"repeatedItem=invalid"}},
	"ids are used up till cancel":  {iyzicotest.Settings{RepeatedItem: iyzicotest.RepeatedItemUnlessCancelled}, []string{"repeatedItem=unless-cancelled"}},
	"404":                          {iyzicotest.Settings{UnknownRequest: iyzicotest.UnknownRequestHTTP404}, []string{"unknownRequest=http404"}},
	"cancel after auth is nothing": {iyzicotest.Settings{CancelAfterAuth: iyzicotest.CancelAfterAuthNoop}, []string{"cancelAfterAuth=noop"}},
	"cancel after auth is partial": {iyzicotest.Settings{CancelAfterAuth: iyzicotest.CancelAfterAuthPartial}, []string{"cancelAfterAuth=partial"}},
	"auth says failure":            {iyzicotest.Settings{AuthAnswer: iyzicotest.AuthAnswerFailure}, []string{"authAnswer=failure"}},
	"second auth is refused":       {iyzicotest.Settings{SecondAuth: iyzicotest.SecondAuthFailure}, []string{"secondAuth=failure"}},
	"second auth pays":             {iyzicotest.Settings{SecondAuth: iyzicotest.SecondAuthPaysAgain}, []string{"secondAuth=pays-again"}},
	"no money":                     {iyzicotest.Settings{Balance: new(iyzicotest.Money(50))}, []string{"cancelUnfunded=accept", "balanceCheck=worker", "secondAuth", "cancelAfterAuth?"}},
	"no money and no cancel":       {iyzicotest.Settings{Balance: new(iyzicotest.Money(50)), CancelUnfunded: iyzicotest.CancelUnfundedRefuse}, []string{"cancelUnfunded=refuse", "balanceCheck=worker", "secondAuth", "cancelAfterAuth?"}},
	"no money, said at auth":       {iyzicotest.Settings{Balance: new(iyzicotest.Money(50)), BalanceCheck: iyzicotest.BalanceCheckAtAuth}, []string{"balanceCheck=at-auth", "secondAuth", "cancelAfterAuth", "authAnswer"}},
	"auth shows late":              {iyzicotest.Settings{AuthVisibleAfter: iyzicotest.Duration(50 * time.Millisecond)}, []string{"authVisibleAfter=1s"}},
	"reports lag":                  {iyzicotest.Settings{RetrieveLag: iyzicotest.Duration(20 * time.Millisecond)}, nil},
}

// Every value of every setting that is asked for is recognised.
func TestEveryValueIsRecognised(t *testing.T) {
	t.Parallel()
	for name, c := range worlds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, found := ask(t, c.settings)
			got := map[string]string{} // by key
			for _, f := range found {
				poor := strings.HasPrefix(f.Setting, "balanceCheck=") // then it could not be found out
				if f.Question == "" || f.Answer == "" || f.Means == "" || f.Open != poor {
					t.Errorf("half a finding, or an open one: %+v", f)
				}
				got[key(f.Setting)] = f.Setting
			}
			want := map[string]string{}
			for _, s := range slices.Concat(usual, c.want) {
				want[key(s)] = s
			}
			for k := range want {
				if open, either := strings.CutSuffix(k, "?"); either {
					// Whether the batch ran out of money before the cancel came
					// is up to the machine.
					delete(want, k)
					delete(want, open)
				}
			}
			for k, s := range want {
				if s == k { // named without a value: not found out
					s = ""
				}
				if got[k] != s {
					t.Errorf("%s: found %q, want %q in %+v", k, got[k], s, found)
				}
			}
		})
	}
}

// The id of a payout that was paid is the one whose repetition matters.
func TestPaidIDAgain(t *testing.T) {
	t.Parallel()
	for setting, want := range map[iyzicotest.RepeatedItem]string{
		iyzicotest.RepeatedItemAccept: "taken again", iyzicotest.RepeatedItemInvalid: "invalid: code ", iyzicotest.RepeatedItemUnlessCancelled: "invalid: code ",
	} {
		_, found := ask(t, iyzicotest.Settings{RepeatedItem: setting})
		i := slices.IndexFunc(found, func(f probe.Finding) bool { return f.Question == "an itemExternalId that was paid" })
		if i < 0 || found[i].Open || !strings.HasPrefix(found[i].Answer, want) {
			t.Errorf("%s: %+v", setting, found)
		}
	}
}

// key is what a setting is about; the size of pages is one thing.
func key(setting string) string {
	if strings.Contains(setting, "maxPageSize") {
		return "pages"
	}
	k, _, _ := strings.Cut(setting, "=")
	return k
}

// What is asked leaves no batch behind that could still be authorised.
func TestNothingIsLeftOpen(t *testing.T) {
	t.Parallel()
	server, _ := ask(t, iyzicotest.Settings{DuplicateExternalID: iyzicotest.DuplicateSecond, DuplicateItem: iyzicotest.DuplicateItemAccept})
	for _, b := range server.Provider().Books().Batches {
		if b.Status == iyzicotest.BatchInit {
			t.Errorf("batch %s is still to be authorised", b.ExternalID)
		}
	}
}

func TestAllowed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		base, key, secret string
		want              string // in the error; "" for allowed
	}{
		{"https://sandbox-api.iyzipay.com", "sandbox-a", "sandbox-b", ""},
		{"http://127.0.0.1:8081", "a", "b", ""},
		{"http://localhost:8081", "a", "b", ""},
		{"http://[::1]:8081", "a", "b", ""},
		{"https://api.iyzipay.com", "sandbox-a", "sandbox-b", "is not iyzico's sandbox"},
		{"http://sandbox-api.iyzipay.com", "sandbox-a", "sandbox-b", "is not iyzico's sandbox"},
		{"https://sandbox-api.iyzipay.com.example.org", "sandbox-a", "sandbox-b", "is not iyzico's sandbox"},
		{"https://sandbox-api.iyzipay.com", "live-a", "sandbox-b", "no keys of the sandbox"},
		{"https://sandbox-api.iyzipay.com", "sandbox-a", "live-b", "no keys of the sandbox"},
	} {
		base, err := url.Parse(c.base)
		if err != nil {
			t.Fatal(err)
		}
		err = probe.Allowed(base, c.key, c.secret)
		if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "live-")) {
			t.Errorf("%s %s: %v", c.base, c.key, err)
		}
	}
}
