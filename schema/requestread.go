package schema

// A given is a text as it stood in a request.
type given struct {
	text string
	set  bool // it stood there, whatever it was
	bad  bool // it was no text; that has been said
}

// absent reports whether the field was left out. Null is as good as left out:
// many encoders write it for what is not set.
func (g given) absent() bool { return !g.set }

// usable reports whether there is a text to judge.
func (g given) usable() bool { return g.set && !g.bad }

// A draft is a request as it was written, before any rule has been applied.
type draft struct {
	payoutID, merchant, purpose given
	kind, value, name           given
	amount, currency            given
	description                 given
	recipient, money            bool   // the objects stood there
	metadata                    string // raw, "" if absent
	envelope                    bool   // attributes of an event stand among the fields
	none                        bool   // the data is no object: no field can be missed
	problems                    []Problem
}

func (d *draft) problem(field, text string) {
	d.problems = append(d.problems, Problem{field, text})
}

// isObject reports whether the data is an object, and passes over what is none.
func (d *draft) isObject(r *reader) bool {
	if c := r.peek(); c == '{' || c == 0 {
		return true
	}
	r.skip()
	d.none = true
	d.problem("", "the data must be a JSON object")
	return false
}

// read reads the data of a request. Fields it does not know are left alone:
// order systems may say more than we ask.
func (d *draft) read(r *reader) {
	if !d.isObject(r) {
		return
	}
	var seen names
	for r.enter('{'); r.more('}'); {
		switch name := r.name(&seen); name {
		case "payoutId":
			d.text(r, name, &d.payoutID)
		case "merchant":
			d.text(r, name, &d.merchant)
		case "purpose":
			d.text(r, name, &d.purpose)
		case "description":
			d.text(r, name, &d.description)
		case "recipient":
			d.recipient = d.object(r, name, d.readRecipient)
		case "amount":
			d.money = d.object(r, name, d.readAmount)
		case "metadata":
			d.object(r, name, d.readMetadata)
		case "specversion":
			d.envelope = true
			r.skip()
		default:
			r.skip()
		}
	}
}

func (d *draft) readRecipient(r *reader) {
	var seen names
	for r.enter('{'); r.more('}'); {
		switch r.name(&seen) {
		case "type":
			d.text(r, "recipient.type", &d.kind)
		case "value":
			d.text(r, "recipient.value", &d.value)
		case "name":
			d.text(r, "recipient.name", &d.name)
		default:
			r.skip()
		}
	}
}

func (d *draft) readAmount(r *reader) {
	var seen names
	for r.enter('{'); r.more('}'); {
		switch r.name(&seen) {
		case "value":
			if c := r.peek(); c == '-' || c >= '0' && c <= '9' {
				d.amount = given{text: r.number(), set: true}
				continue
			}
			d.text(r, "amount.value", &d.amount)
		case "currency":
			d.text(r, "amount.currency", &d.currency)
		default:
			r.skip()
		}
	}
}

func (d *draft) readMetadata(r *reader) { d.metadata = r.raw() }

// text reads a field that must be a text.
func (d *draft) text(r *reader, field string, to *given) {
	switch r.peek() {
	case '"':
		*to = given{text: r.text(), set: true}
	case 'n':
		r.skip()
	default:
		r.skip()
		*to = given{set: true, bad: true}
		d.problem(field, "must be a text in quotes")
	}
}

// object reads a field that must be an object, and reports whether it was
// there. What is wrong and there has been said, so it counts as there.
func (d *draft) object(r *reader, field string, read func(*reader)) bool {
	switch r.peek() {
	case '{':
		read(r)
	case 'n':
		r.skip()
		return false
	default:
		r.skip()
		d.problem(field, "must be a JSON object")
		d.blind(field)
	}
	return true
}

// blind keeps the fields of an object that is none from being missed as well.
func (d *draft) blind(field string) {
	gone := given{set: true, bad: true}
	switch field {
	case "recipient":
		d.kind, d.value, d.name = gone, gone, gone
	case "amount":
		d.amount, d.currency = gone, gone
	}
}
