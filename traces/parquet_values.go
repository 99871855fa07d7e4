package traces

import (
	"encoding/binary"
	"errors"
)

// ints returns the next n integers of the page, nullInt for a null. The
// result may lie in buf, which has room for them, and is the caller's until
// the next page is read.
func (c *pqColumn) ints(buf []int64, n int) ([]int64, error) {
	c.left -= n
	if c.coding == pqDeltaPacked && !c.nulls && len(c.numbers) >= n {
		dst := c.numbers[:n]
		c.numbers = c.numbers[n:]
		return dst, nil
	}
	dst := buf[:n]
	return dst, c.intsInto(dst)
}

func (c *pqColumn) intsInto(dst []int64) error {
	n := len(dst)
	if !c.nulls {
		return c.presentInts(dst)
	}
	present, err := c.present(n)
	if err != nil {
		return err
	}
	if err := c.presentInts(dst[:present]); err != nil {
		return err
	}
	spread(dst, c.defined[:n], present, nullInt)
	return nil
}

// present reads which of the next n values of the page are there into c.defined,
// and returns how many.
func (c *pqColumn) present(n int) (present int, err error) {
	defined := c.grow(&c.defined, n)
	if err := c.levels.next(defined); err != nil {
		return 0, err
	}
	for _, d := range defined {
		present += int(d & 1)
	}
	return present, nil
}

// spread moves the values that are there, the first of dst, to where they stand,
// and puts null between them.
func spread[T int64 | uint32](dst []T, defined []uint32, present int, null T) {
	for i := len(dst) - 1; i >= 0; i-- {
		if defined[i]&1 == 1 {
			present--
			dst[i] = dst[present]
		} else {
			dst[i] = null
		}
	}
}

func (c *pqColumn) presentInts(dst []int64) error {
	switch c.coding {
	case pqDeltaPacked:
		if len(c.numbers) < len(dst) {
			return errDelta
		}
		copy(dst, c.numbers)
		c.numbers = c.numbers[len(dst):]
	case pqPlain:
		return c.plainInts(dst)
	default:
		index := c.grow(&c.index, len(dst))
		if err := c.indices.next(index); err != nil {
			return err
		}
		for i, k := range index {
			if int(k) >= len(c.intDict) {
				return errors.New("points outside its dictionary")
			}
			dst[i] = c.intDict[k]
		}
	}
	return nil
}

func (c *pqColumn) plainInts(dst []int64) error {
	width := 8
	if c.typ == pqInt32 {
		width = 4
	}
	if len(c.body) < width*len(dst) {
		return errors.New("has a page that ends early")
	}
	b := c.body[:width*len(dst)]
	c.body = c.body[len(b):]
	if c.typ == pqInt32 {
		for i := range dst {
			dst[i] = int64(int32(binary.LittleEndian.Uint32(b[4*i:])))
		}
		return nil
	}
	for i := range dst {
		dst[i] = int64(binary.LittleEndian.Uint64(b[8*i:]))
	}
	return nil
}

// texts reads the numbers of the next len(dst) texts of the page, nullText
// for a null.
func (c *pqColumn) texts(dst []uint32) error {
	n := len(dst)
	c.left -= n
	if !c.nulls {
		return c.presentTexts(dst)
	}
	present, err := c.present(n)
	if err != nil {
		return err
	}
	if err := c.presentTexts(dst[:present]); err != nil {
		return err
	}
	spread(dst, c.defined[:n], present, nullText)
	return nil
}

func (c *pqColumn) presentTexts(dst []uint32) (err error) {
	switch c.coding {
	case pqDeltaLength:
		for i := range dst {
			if len(c.numbers) == 0 || c.numbers[0] < 0 || c.numbers[0] > int64(len(c.body)) {
				return errDelta
			}
			n := c.numbers[0]
			if dst[i], err = c.text(c.body[:n]); err != nil {
				return err
			}
			c.numbers, c.body = c.numbers[1:], c.body[n:]
		}
		return nil
	case pqPlain:
		for i := range dst {
			if dst[i], c.body, err = c.plainText(c.body); err != nil {
				return err
			}
		}
		return nil
	}
	if err := c.indices.next(dst); err != nil {
		return err
	}
	for i, k := range dst {
		if int(k) >= len(c.textDict) {
			return errors.New("points outside its dictionary")
		}
		dst[i] = c.textDict[k]
	}
	return nil
}
