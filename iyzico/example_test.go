package iyzico_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/toplu/toplu/iyzico"
)

func ExampleSign() {
	body := []byte(`{"requestId":"79cdefc1-3ce6-4f51-bdd9-0c050274db64"}`)
	fmt.Println(iyzico.Sign("sandbox-TESTSECRETKEY000000000000000001", "123456789", "/v1/mass/payout/auth", body))
	// Output: d7ff5b3fd48f66bfb39ed95cb48bdeece75b1bb691cad7ea5d5b7a2c185652cc
}

func ExampleNew() {
	client, err := iyzico.New(iyzico.Config{BaseURL: iyzico.Sandbox, APIKey: "sandbox-key", SecretKey: "sandbox-secret"})
	fmt.Println(client != nil, err)

	_, err = iyzico.New(iyzico.Config{BaseURL: "http://api.iyzipay.com", APIKey: "key"})
	fmt.Println(err)
	// Output:
	// true <nil>
	// iyzico: BaseURL is not https, and its host not a loopback one
	// iyzico: SecretKey is missing
}

func ExampleClient_Init() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"status":"success","requestId":"79cdefc1","invalidItems":[{"externalId":"p-2","errorMessage":"Geçersiz IBAN"}]}`)
	}))
	defer server.Close()
	client, err := iyzico.New(iyzico.Config{BaseURL: server.URL, APIKey: "key", SecretKey: "secret"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.CloseIdleConnections()

	answer, err := client.Init(context.Background(), iyzico.InitRequest{
		ExternalID: "batch-1",
		Purpose:    iyzico.PurposeSettlement,
		Items: []iyzico.InitItem{
			{
				ExternalID: "p-1", RecipientType: iyzico.RecipientIBAN, Recipient: "TR330006100519786457841326",
				RecipientName: "Ayşe Yılmaz", Amount: 100_50, Currency: iyzico.TRY,
			},
			{ExternalID: "p-2", RecipientType: iyzico.RecipientIBAN, Recipient: "TR00", RecipientName: "A B", Amount: 1, Currency: iyzico.TRY},
		},
	})
	switch iyzico.OutcomeOf(err) {
	case iyzico.OutcomeAccepted:
		fmt.Println("batch", answer.RequestID, "without", answer.Invalid[0].ExternalID)
	case iyzico.OutcomeRefused:
		fmt.Println("refused because of", iyzico.KindOf(err), iyzico.CodeOf(err))
	case iyzico.OutcomeNotSent:
		fmt.Println("call again")
	case iyzico.OutcomeUnknown:
		fmt.Println("ask Retrieve by the external id before anything else")
	}
	// Output: batch 79cdefc1 without p-2
}
