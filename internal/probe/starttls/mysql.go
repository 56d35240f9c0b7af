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
	mysqlOK       = 0x00 // the first byte of an OK packet
	mysqlVersion  = 10   // the first byte of a greeting: the version of the protocol
	mysqlMaxBytes = 1 << 24
	mysqlUTF8     = 45 // utf8mb4
	// mysqlLoginSteps bounds the packets of a login: the response, another method, its rounds.
	mysqlLoginSteps = 4
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

// mysqlLogin is a login without a password that the server denies. A server counts connections that end without a login, and
// after a hundred of them (max_connect_errors) blocks all clients of the host; it does not count denied logins.
func mysqlLogin(conn net.Conn) error {
	response := mysqlPacketOf(2, append(mysqlCapabilities(), "certdrift\x00\x00mysql_native_password\x00"...))
	for range mysqlLoginSteps {
		if _, err := conn.Write(response); err != nil {
			return err
		}
		var header [4]byte
		if _, err := io.ReadFull(conn, header[:]); err != nil {
			return err
		}
		content := make([]byte, min(maxLine, mysqlSize(header)))
		if _, err := io.ReadFull(conn, content); err != nil {
			return err
		}
		if len(content) == 0 || content[0] == mysqlError || content[0] == mysqlOK {
			return nil
		}
		response = mysqlPacketOf(header[3]+1, []byte{0}) // another method or round of authentication: an empty password
	}
	return nil
}

// mysqlSSLRequest returns a HandshakeResponse41 that ends before the user name, as packet 1.
func mysqlSSLRequest() []byte { return mysqlPacketOf(1, mysqlCapabilities()) }

func mysqlCapabilities() []byte {
	var start []byte
	start = binary.LittleEndian.AppendUint32(start, mysqlProtocol41|mysqlSSL|mysqlSecureConnection|mysqlPluginAuth)
	start = binary.LittleEndian.AppendUint32(start, mysqlMaxBytes)
	return append(append(start, mysqlUTF8), make([]byte, 23)...)
}

// mysqlPacketOf returns a packet.
func mysqlPacketOf(number byte, content []byte) []byte {
	header := binary.LittleEndian.AppendUint32(nil, uint32(len(content))) //nolint:gosec // what a client sends here is short
	header[3] = number
	return append(header, content...)
}

func mysqlSize(header [4]byte) int {
	return int(header[0]) | int(header[1])<<8 | int(header[2])<<16
}

// mysqlPacket reads the server's first packet: its length in three bytes, number 0, and the content.
func mysqlPacket(in *bufio.Reader) ([]byte, error) {
	var header [4]byte
	if _, err := io.ReadFull(in, header[:]); err != nil {
		return nil, err
	}
	size := mysqlSize(header)
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
