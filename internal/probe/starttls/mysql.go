package starttls

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"

	"certdrift/internal/finding"
)

// Capability flags of MySQL's and MariaDB's connection phase.
const (
	mysqlProtocol41       = 1 << 9
	mysqlSSL              = 1 << 11
	mysqlSecureConnection = 1 << 15
	mysqlPluginAuth       = 1 << 19
)

const (
	mysqlError    = 0xff // the first byte of an ERR packet
	mysqlVersion  = 10   // the first byte of a greeting: the version of the protocol
	mysqlMaxBytes = 1 << 24
	mysqlUTF8     = 45 // utf8mb4
)

// mysql follows MySQL's "Connection Phase": the server's greeting has its capabilities, and a client that wants TLS sends an
// SSLRequest packet, after which TLS begins without an answer.
func mysql(conn net.Conn, _ Names) error {
	in := bufio.NewReaderSize(conn, maxLine)
	greeting, err := mysqlPacket(in)
	if err != nil {
		return err
	}
	if len(greeting) == 0 || greeting[0] != mysqlVersion {
		return mysqlRefusal(greeting)
	}
	_, rest, ok := bytes.Cut(greeting[1:], []byte{0}) // after the server's version: thread (4), data (8), filler (1), capabilities (2)
	if !ok || len(rest) < 15 {
		return refused("the server's greeting is malformed")
	}
	if binary.LittleEndian.Uint16(rest[13:])&mysqlSSL == 0 {
		return refused("the server does not offer TLS")
	}
	if err := silent(in); err != nil {
		return err
	}
	_, err = conn.Write(mysqlSSLRequest())
	return err
}

// mysqlSSLRequest returns a HandshakeResponse41 that ends before the user name, as packet 1.
func mysqlSSLRequest() []byte {
	packet := []byte{32, 0, 0, 1}
	packet = binary.LittleEndian.AppendUint32(packet, mysqlProtocol41|mysqlSSL|mysqlSecureConnection|mysqlPluginAuth)
	packet = binary.LittleEndian.AppendUint32(packet, mysqlMaxBytes)
	return append(append(packet, mysqlUTF8), make([]byte, 23)...)
}

// mysqlPacket reads the server's first packet: its length in three bytes, number 0, and the content.
func mysqlPacket(in *bufio.Reader) ([]byte, error) {
	var header [4]byte
	if _, err := io.ReadFull(in, header[:]); err != nil {
		return nil, err
	}
	size := int(header[0]) | int(header[1])<<8 | int(header[2])<<16
	if header[3] != 0 || size > maxLine {
		rest, _ := in.Peek(in.Buffered())
		return nil, unexpected(string(header[:]) + string(rest))
	}
	content := make([]byte, size)
	_, err := io.ReadFull(in, content)
	return content, err
}

// mysqlRefusal quotes an ERR packet: its code (2 bytes), perhaps '#' and the SQL state (5 bytes), and the message.
func mysqlRefusal(packet []byte) error {
	if len(packet) < 3 || packet[0] != mysqlError {
		return refused("the server's greeting is not that of protocol version 10: %s", finding.Quote(string(packet)))
	}
	message := packet[3:]
	if len(message) >= 6 && message[0] == '#' {
		message = message[6:]
	}
	return refused("the server answered with error %d: %s", binary.LittleEndian.Uint16(packet[1:]), finding.Quote(string(message)))
}
