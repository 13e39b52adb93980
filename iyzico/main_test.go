package iyzico_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/toplu/toplu/iyzico"
)

const (
	testAPIKey    = "sandbox-TESTAPIKEY0000000000000000000001"
	testSecretKey = "sandbox-TESTSECRETKEY000000000000000001"
	requestID     = "79cdefc1-3ce6-4f51-bdd9-0c050274db64"
	referenceCode = "a97b142a-1e22-4ceb-bafb-38d6c1c4a4f7"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newClient returns a client of the server at url, changed by change.
func newClient(t *testing.T, url string, change ...func(*iyzico.Config)) *iyzico.Client {
	t.Helper()
	config := iyzico.Config{BaseURL: url, APIKey: testAPIKey, SecretKey: testSecretKey}
	for _, f := range change {
		f(&config)
	}
	client, err := iyzico.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	return client
}

func newServer(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

// answering is a server that gives everyone the same answer.
func answering(t *testing.T, status int, body string) *httptest.Server {
	t.Helper()
	return newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
}

// calls makes each of the six calls with a request that is good.
var calls = []struct {
	op      string
	success string // the least that is a success
	do      func(context.Context, *iyzico.Client) error
}{
	{iyzico.OpInit, `{"status":"success","requestId":"r-1"}`, func(ctx context.Context, c *iyzico.Client) error {
		_, err := c.Init(ctx, sampleInit())
		return err
	}},
	{iyzico.OpAuth, `{"status":"success"}`, func(ctx context.Context, c *iyzico.Client) error {
		return c.Auth(ctx, requestID)
	}},
	{iyzico.OpRetrieve, `{"status":"success"}`, func(ctx context.Context, c *iyzico.Client) error {
		_, err := c.Retrieve(ctx, sampleRetrieve())
		return err
	}},
	{iyzico.OpItem, `{"status":"success","item":{}}`, func(ctx context.Context, c *iyzico.Client) error {
		_, err := c.Item(ctx, referenceCode)
		return err
	}},
	{iyzico.OpCancel, `{"status":"success"}`, func(ctx context.Context, c *iyzico.Client) error {
		return c.Cancel(ctx, requestID)
	}},
	{iyzico.OpBalance, `{"status":"success","balance":"0"}`, func(ctx context.Context, c *iyzico.Client) error {
		_, err := c.Balance(ctx)
		return err
	}},
}

// sampleInit is the batch of iyzico's page.
func sampleInit() iyzico.InitRequest {
	return iyzico.InitRequest{
		ExternalID:     "massPayoutId-323ddd",
		ConversationID: "conversationId-323f",
		Purpose:        iyzico.PurposeSalary,
		Items: []iyzico.InitItem{
			{
				ExternalID: "ext-65656", RecipientType: iyzico.RecipientIBAN, Recipient: "TR920086402100005482911108",
				Amount: 100_00, Currency: iyzico.TRY, Description: "Payment for services", RecipientName: "John Doe",
			},
			{
				ExternalID: "ext-9545455", RecipientType: iyzico.RecipientMemberID, Recipient: "2228853",
				Amount: 8000_00, Currency: iyzico.TRY,
			},
			{
				ExternalID: "ext-545454542", RecipientType: iyzico.RecipientIdentityNumber, Recipient: "22222222220",
				Amount: 20000_00, Currency: iyzico.TRY,
			},
			{
				ExternalID: "ext-50070945", RecipientType: iyzico.RecipientPhone, Recipient: "+905555555555",
				Amount: 7000_00, Currency: iyzico.TRY,
			},
		},
	}
}

// sampleRetrieve is the question of iyzico's page.
func sampleRetrieve() iyzico.RetrieveRequest {
	return iyzico.RetrieveRequest{
		RequestID:  "c95e344a-c7c9-4605-91b8-3f48ee9dece6",
		ExternalID: "massPayoutId-323",
		ItemType:   iyzico.ItemsValid,
		Page:       0,
		Size:       40,
	}
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// vector is a signature that iyzico's own SDKs agree on.
type vector struct {
	Name          string `json:"name"`
	Method        string `json:"method"`
	URIPath       string `json:"uriPath"`
	Body          string `json:"body"`
	APIKey        string `json:"apiKey"`
	SecretKey     string `json:"secretKey"`
	RandomKey     string `json:"randomKey"`
	Signature     string `json:"signature"`
	Authorization string `json:"authorization"`
}

func vectors(t testing.TB) []vector {
	t.Helper()
	var all []vector
	if err := json.Unmarshal(readFile(t, "signing_vectors.json"), &all); err != nil {
		t.Fatal(err)
	}
	return all
}
