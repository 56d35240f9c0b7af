// Makes a TLS connection with Node's defaults, and asks for a page. Exit status: 0 accepted, 1 refused.
import fs from 'node:fs'
import net from 'node:net'
import tls from 'node:tls'

const [host, port, name, roots] = process.argv.slice(2)
const refuse = error => { console.log(String(error)); process.exit(1) }
const options = { host, port: Number(port), ca: fs.readFileSync(roots), timeout: 5000 }
if (net.isIP(name)) options.checkServerIdentity = (_, certificate) => tls.checkServerIdentity(name, certificate)
else options.servername = name
let connected = false
const socket = tls.connect(options, () => {
  connected = true
  socket.write(`GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`)
  setTimeout(() => process.exit(0), 1000)
})
socket.on('data', () => process.exit(0))
socket.on('end', () => connected ? process.exit(0) : refuse('closed'))
socket.on('timeout', () => refuse('timeout'))
socket.on('error', refuse)
