package kafkaio

// Waiting is how many calls of Append wait for the one under way.
func (a *Appender) Waiting() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.queue)
}
