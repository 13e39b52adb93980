package iyzicotest

import (
	"encoding/binary"
	"encoding/hex"
	"time"
)

// batch is a mass payout.
type batch struct {
	account    *account
	externalID string
	requestID  string
	purpose    string
	reference  uint64 // 48 bits, which its items' reference codes begin with
	created    time.Time
	status     BatchStatus
	auths      int // accepted, whether they show or not
	items      []item
	counts     [itemStatuses]int // of items by status
	debited    bool              // the lines that are not final are paid for
	history    []change          // for answers that show what was; nil where none do
}

// item is a line of a batch. There may be millions, so it is kept small.
type item struct {
	id          string
	info        string
	name        string
	description string
	amount      Money
	commission  Money
	currency    currency
	recipient   recipientType
	status      ItemStatus
	fault       fault // why it is INVALID
	paid        bool  // at least once
}

// change is one step of a batch or an item, kept to look back.
type change struct {
	at   time.Time
	item int // -1: the batch
	from uint8
}

// set moves an item to a status.
func (p *Provider) set(b *batch, i int, to ItemStatus) {
	it := &b.items[i]
	if p.remembers() {
		b.history = append(b.history, change{p.now, i, uint8(it.status)})
	}
	b.counts[it.status]--
	b.counts[to]++
	it.status = to
}

// setBatch moves a batch to a status.
func (p *Provider) setBatch(b *batch, to BatchStatus) {
	if p.remembers() {
		b.history = append(b.history, change{p.now, -1, uint8(b.status)})
	}
	b.status = to
}

// remembers says whether an answer may depend on what was before.
func (p *Provider) remembers() bool {
	return p.settings.RetrieveLag > 0 || p.settings.ItemOrder == ItemOrderLastChanged
}

// valid is how many lines were not refused at init.
func (b *batch) valid() int { return len(b.items) - b.counts[ItemInvalid] }

// sum adds amount and commission of the items with a status.
func (b *batch) sum(status ItemStatus) Money {
	var sum Money
	for i := range b.items {
		if it := &b.items[i]; it.status == status {
			sum += it.amount + it.commission
		}
	}
	return sum
}

// referenceCode is the UUID of an item. It begins with the batch's own 48 bits
// and ends with the hidden place of the item, so that the item is found again
// without an index of millions.
func (b *batch) referenceCode(i int) string {
	var u [16]byte
	binary.BigEndian.PutUint64(u[:8], b.reference<<16)
	filler := scramble(b.reference ^ uint64(i)<<20)
	binary.BigEndian.PutUint64(u[6:14], filler)
	binary.BigEndian.PutUint32(u[12:], uint32(i)^uint32(scramble(b.reference)))
	return formatUUID(u)
}

// byReferenceCode finds the item with this reference code.
func (p *Provider) byReferenceCode(code string) (*batch, int) {
	var u [16]byte
	if len(code) != 36 {
		return nil, 0
	}
	digits := code[:8] + code[9:13] + code[14:18] + code[19:23] + code[24:]
	if _, err := hex.Decode(u[:], []byte(digits)); err != nil {
		return nil, 0
	}
	b := p.byReference[binary.BigEndian.Uint64(u[:8])>>16]
	if b == nil {
		return nil, 0
	}
	i := int(binary.BigEndian.Uint32(u[12:]) ^ uint32(scramble(b.reference)))
	if i >= len(b.items) || b.referenceCode(i) != code {
		return nil, 0
	}
	return b, i
}

// newUUID returns a random UUID, version 4.
func (p *Provider) newUUID() string {
	var u [16]byte
	binary.BigEndian.PutUint64(u[:8], p.rnd.Uint64())
	binary.BigEndian.PutUint64(u[8:], p.rnd.Uint64())
	return formatUUID(u)
}

func formatUUID(u [16]byte) string {
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	var text [36]byte
	hex.Encode(text[:8], u[:4])
	hex.Encode(text[9:13], u[4:6])
	hex.Encode(text[14:18], u[6:8])
	hex.Encode(text[19:23], u[8:10])
	hex.Encode(text[24:], u[10:])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

// scramble is the finishing step of SplitMix64.
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
