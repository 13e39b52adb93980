package realparts

import (
	"fmt"
	"os/exec"
	"strconv"
	"sync/atomic"
	"time"
)

// This file was not run where it was written, where no Docker engine runs. A
// container shares the host's network, so that addresses are as without Docker,
// and the process's directory, so that data outlives it.

var containers atomic.Int64

func inDocker(p *process, image string, argv ...string) {
	name := fmt.Sprintf("toplu-%s-%s-%d", p.name, strconv.FormatInt(time.Now().UnixNano(), 36), containers.Add(1)) //nolint:forbidigo // for a name
	p.argv = append([]string{
		"docker", "run", "--rm", "--name", name, "--network", "host", "--user", "root",
		"--volume", p.dir + ":" + p.dir, "--entrypoint", argv[0], image,
	}, argv[1:]...)
	p.kill = func(signal string) error {
		return exec.Command("docker", "kill", "--signal", signal, name).Run() //nolint:gosec,noctx // our own arguments; it does not wait
	}
}

func kafkaInDocker(p *process, version, config string) {
	const bin = "/opt/kafka/bin/"
	script := fmt.Sprintf("%skafka-storage.sh format --ignore-formatted -t %s -c %s && exec %skafka-server-start.sh %s",
		bin, clusterID, config, bin, config)
	inDocker(p, "apache/kafka:"+version, "/bin/sh", "-c", script)
}

func redisInDocker(p *process, options []string) {
	inDocker(p, "redis:7", append([]string{"redis-server"}, options...)...)
}
