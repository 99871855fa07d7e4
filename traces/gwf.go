package traces

import "bytes"

// The Grid Workloads Format (Iosup and others, 2008; Grid Workloads Archive): lines
// of 29 fields, comments behind a number sign, -1 for what is not known. Its first
// 18 fields are those of SWF; submit times are Unix times, and users and queues have
// names.

const gwfFields = 29

var gwf = swfDialect{name: "GWF", comment: '#', fields: gwfFields}

func sniffGWF(head []byte) bool {
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	for line := range bytes.Lines(head) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == gwf.comment {
			continue
		}
		f := bytes.Fields(line)
		if len(f) < gwfFields {
			return false
		}
		for _, i := range []int{swfSubmit, swfRun, swfProcs} {
			if _, err := parseDecimal(f[i], 9, true); err != nil {
				return false
			}
		}
		return true
	}
	return false
}

func openGWF(in *input, _ Options) (Source, error) {
	return &rowSource{r: newSWFReader(in, gwf), in: in, arrival: "submit"}, nil
}

func gwfRows(in *input, _ ImportOptions) (rowReader, error) { return newSWFReader(in, gwf), nil }
