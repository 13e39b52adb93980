package iyzico

import "strconv"

// An envelope is what every answer has. iyzico puts what it answers beside it.
type envelope struct {
	status, code, group, message string
}

// decode reads an answer once from front to back.
func decode(body []byte, read func(s *scanner, key []byte)) (envelope, error) {
	var answer envelope
	s := &scanner{data: body}
	if s.peek() != '{' {
		s.fail("an object")
	}
	s.object(func(key []byte) {
		switch string(key) {
		case "status":
			answer.status = s.text()
		case "errorCode":
			answer.code = s.text()
		case "errorGroup":
			answer.group = s.text()
		case "errorMessage":
			answer.message = s.text()
		default:
			if read == nil {
				s.skip()
				return
			}
			read(s, key)
		}
	})
	s.end()
	return answer, s.err
}

// scalar reads a string or a number and returns its text: iyzico sends error
// codes and the balance as either. A null has no text.
func (s *scanner) scalar() []byte {
	if s.null() || s.err != nil {
		return nil
	}
	if s.peek() == '"' {
		return s.token()
	}
	return s.number()
}

// text is scalar with a copy of its own, so that what is kept of an answer
// does not keep the whole of it in memory.
func (s *scanner) text() string { return string(s.scalar()) }

// money reads an amount. A null is 0, as a field that is missing.
func (s *scanner) money() Money {
	if s.null() || s.err != nil {
		return 0
	}
	text := s.scalar()
	if s.err != nil {
		return 0
	}
	amount, err := parseMoney(text)
	if err != nil {
		s.fail("an exact amount before it")
	}
	return amount
}

// commission reads an amount that nothing is decided by. One that is no whole
// number of minor units, as a percentage may be, is given as its text: it must
// neither be rounded nor hide the rest of a report.
func (s *scanner) commission() (amount Money, odd string) {
	if s.null() || s.err != nil {
		return 0, ""
	}
	text := s.scalar()
	if s.err != nil {
		return 0, ""
	}
	amount, err := parseMoney(text)
	if err == nil {
		return amount, ""
	}
	number := &scanner{data: text}
	number.number()
	if number.end(); number.err != nil {
		s.fail("a commission before it")
	}
	return 0, string(text)
}

// integer reads a whole number. A null is -1, as a field that is missing.
func (s *scanner) integer() int {
	if s.null() || s.err != nil {
		return -1
	}
	n, err := strconv.Atoi(string(s.scalar()))
	if err != nil {
		s.fail("a whole number before it")
	}
	return n
}

// texts reads an array of strings, or one alone. It passes over elements of
// any other kind: they are remarks for people, and no reason to lose the rest.
func (s *scanner) texts() []string {
	var all []string
	add := func() {
		switch s.peek() {
		case '{', '[', 't', 'f':
			s.skip()
		default:
			if text := s.text(); text != "" {
				all = append(all, text)
			}
		}
	}
	if s.peek() == '[' {
		s.array(add)
	} else {
		add()
	}
	return all
}

// word reads a word of an open enumeration; the known ones cost no memory.
func word[T ~string](s *scanner, known []T) T {
	text := s.scalar()
	for _, k := range known {
		if string(text) == string(k) {
			return k
		}
	}
	return T(text)
}
