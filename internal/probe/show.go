package probe

import (
	"context"
	"fmt"

	"github.com/toplu/toplu/iyzico"
)

// reports looks at what a page and a single item show.
func (p *Probe) reports(ctx context.Context) ([]Finding, error) {
	requestID, err := p.batch(ctx, "f", 1)
	if err != nil {
		return nil, err
	}
	report, err := p.await(ctx, requestID, shown)
	if err != nil {
		return nil, err
	}
	line := report.Items[0]
	item, err := p.Client.Item(ctx, line.ReferenceCode)
	if err != nil {
		return nil, err
	}
	way := Finding{Question: "the requestId in the single item"}
	switch item.RequestID {
	case requestID:
		way.Answer, way.Setting = "is there", "itemWithoutRequestId=false"
		way.Means = "A requestId that was lost with the answer to init is found again; nothing to set."
	case "":
		way.Answer, way.Setting = "is not there", "itemWithoutRequestId=true"
		way.Means = "A requestId that was lost cannot be found again: toplu abandons such an attempt and makes another. Nothing to set."
	default:
		way.Answer = "is another: " + item.RequestID
		way.Means, way.Open = "Not expected: ask iyzico.", true
	}
	page := Finding{Question: "the requestId in the items of a page", Answer: "is not there", Setting: "pageWithRequestId=false", Means: "As documented; nothing to set."}
	if line.RequestID == requestID {
		page.Answer, page.Setting, page.Means = "is there", "pageWithRequestId=true", "Nothing to set."
	}
	mask := Finding{Question: "recipients in reports"}
	switch {
	case line.Recipient == p.Recipient && item.Recipient == p.Recipient:
		mask.Answer, mask.Setting = "are shown whole", "maskRecipients=false"
		mask.Means = "toplu compares them before a batch is completed; nothing to set."
	default:
		mask.Answer, mask.Setting = "are masked", "maskRecipients=true"
		mask.Means = "toplu compares what is not masked, and amounts; nothing to set."
	}
	return []Finding{way, page, mask}, nil
}

// sizes are the sizes of a page that are tried.
var sizes = []int{10000, 5000, 2000, 1000, 500, 200, 100, 50, 40, 20, 10}

// pageSize tries pages from large to small.
func (p *Probe) pageSize(ctx context.Context) ([]Finding, error) {
	requestID, err := p.batch(ctx, "g", 1)
	if err != nil {
		return nil, err
	}
	if _, err := p.await(ctx, requestID, shown); err != nil {
		return nil, err
	}
	f := Finding{Question: "the largest page of a report"}
	for _, size := range sizes {
		report, err := p.Client.Retrieve(ctx, iyzico.RetrieveRequest{RequestID: requestID, ItemType: iyzico.ItemsValid, Size: size})
		switch {
		case err != nil && iyzico.OutcomeOf(err) == iyzico.OutcomeRefused:
			f.Answer = fmt.Sprintf("%d is refused: %v", size, err)
			continue
		case err != nil:
			return nil, err
		case report.Size > 0 && report.Size < size:
			f.Answer = fmt.Sprintf("of %d asked for %d are given", size, report.Size)
			f.Setting = fmt.Sprintf("pageOverflow=clamp, maxPageSize=%d", report.Size)
			f.Means = fmt.Sprintf("Set iyzico.pageSize: %d.", report.Size)
		case f.Answer != "":
			f.Answer = fmt.Sprintf("%d is taken, more is refused", size)
			f.Setting = fmt.Sprintf("pageOverflow=refuse, maxPageSize=%d", size)
			f.Means = fmt.Sprintf("Set iyzico.pageSize: %d.", size)
		default:
			f.Answer = fmt.Sprintf("%d is taken", size)
			f.Setting = "maxPageSize=0"
			f.Means = "The default of iyzico.pageSize will do."
		}
		return []Finding{f}, nil
	}
	f.Means, f.Open = "No size was taken: ask iyzico.", true
	return []Finding{f}, nil
}
