package receipt

import "strconv"

// Values that commitments cover, in the one form in which gateway and requester both write them.

// AppendSubject appends the request value of one verification: the subject as the caller wrote it.
func AppendSubject(dst []byte, number, name, phone string) []byte {
	dst = appendField(dst, `{"name":`, name)
	dst = appendField(dst, `,"number":`, number)
	dst = appendField(dst, `,"phone":`, phone)
	return append(dst, '}')
}

// AppendAnswer appends the result value of one verification: a code of the published table.
func AppendAnswer(dst []byte, code uint8) []byte {
	return append(strconv.AppendUint(append(dst, `{"answer":`...), uint64(code), 10), '}')
}

// Values calls row with the request and result value of each row of a result file, in order; a file
// that is no batch has one row. It reads form only: Verify says whether the values are what was
// committed to.
func Values(file []byte, row func(request, result []byte)) error {
	if s, err := readSingle(file); err == nil {
		row(s.request.Value, s.result.Value)
		return nil
	}
	_, err := readBatch(file, func(_ *Seed, _ int, request, result []byte) { row(request, result) })
	return err
}
