module github.com/toplu/toplu/docs

go 1.26.0

require github.com/toplu/toplu v0.0.0

replace github.com/toplu/toplu => ../
