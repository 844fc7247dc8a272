// What the reference's cron library makes of texts (contract 9.2): reads a JSON list of texts, writes the golden file.
// In an empty module: go get github.com/robfig/cron/v3@v3.0.1; go run robfig-cron.go < texts.json > robfig-cron.jsonl
package main

import (
	"encoding/json"
	"os"
	"time"

	"github.com/robfig/cron/v3"
)

type meaning struct {
	Text  string  `json:"text"`
	Slots []int64 `json:"slots"`
}

// As the reference does: six fields first, then five. Some texts make the library panic.
func parse(text string) (schedule cron.Schedule, err any) {
	defer func() {
		if thrown := recover(); thrown != nil {
			err = thrown
		}
	}()
	six := cron.NewParser(cron.Second | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)
	if schedule, err := six.Parse(text); err == nil {
		return schedule, nil
	}
	five, problem := cron.ParseStandard(text)
	if problem != nil {
		return nil, problem
	}
	return five, nil
}

func main() {
	time.Local = time.UTC
	var texts []string
	if err := json.NewDecoder(os.Stdin).Decode(&texts); err != nil {
		panic(err)
	}
	lines := json.NewEncoder(os.Stdout)
	for _, text := range texts {
		one := meaning{Text: text}
		if schedule, err := parse(text); err == nil {
			one.Slots = []int64{}
			// 28 February 2027, 12:34:56 UTC
			at := time.Unix(1803818096, 0).UTC()
			for len(one.Slots) < 4 {
				at = schedule.Next(at)
				if at.IsZero() {
					break
				}
				one.Slots = append(one.Slots, at.Unix())
			}
		}
		lines.Encode(one)
	}
}
