package app

import (
	"fmt"
	"io/fs"
	"strings"

	"github.com/toplu/toplu/schema"
)

type schemaCommands struct {
	List schemaListCommand `cmd:"" help:"List the schemas, the AsyncAPI document, the rules of change and the examples."`
	Show schemaShowCommand `cmd:"" help:"Print one of them."`
}

type schemaListCommand struct{ jsonFlag }

// Help says more than the line in the list of commands.
func (*schemaListCommand) Help() string {
	return `Lists what is in this binary about the events: JSON Schemas (draft 2020-12) of their data, an AsyncAPI document of the topics, the rules by which events change, and examples. It needs no configuration.

Example:

  toplu schema list`
}

// A schemaList is what `schema list` prints.
type schemaList struct {
	Files []string `json:"files"`
}

// Run lists the files.
func (c *schemaListCommand) Run(p *program) error {
	files, err := schemaFiles()
	if err != nil {
		return err
	}
	if c.JSON {
		return p.printJSON(schemaList{Files: files})
	}
	for _, name := range files {
		p.say("%s", name)
	}
	return nil
}

type schemaShowCommand struct {
	jsonFlag
	Name string `arg:"" help:"A name as in the list, such as status.schema.json."`
}

// Help says more than the line in the list of commands.
func (*schemaShowCommand) Help() string {
	return `Prints a file of the list as it is; with --json, as a text inside an object.

Example:

  toplu schema show status.schema.json
  toplu schema show examples/request-iban.json`
}

// A schemaFile is what `schema show --json` prints.
type schemaFile struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Run prints the file.
func (c *schemaShowCommand) Run(p *program) error {
	text, err := schema.Files.ReadFile(c.Name)
	if err != nil {
		files, err := schemaFiles()
		if err != nil {
			return err
		}
		return usageError{fmt.Sprintf("%q is not in the list; there are:\n  %s", c.Name, strings.Join(files, "\n  "))}
	}
	if c.JSON {
		return p.printJSON(schemaFile{Name: c.Name, Text: string(text)})
	}
	_, err = p.stdout.Write(text)
	return err
}

// schemaFiles are the names of all files in [schema.Files].
func schemaFiles() (names []string, err error) {
	err = fs.WalkDir(schema.Files, ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path)
		}
		return err
	})
	return names, err
}
