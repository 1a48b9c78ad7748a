// A server of node: server.js PORT http|https|h2 [CERTIFICATE KEY]
'use strict';
const fs = require('fs');
const zlib = require('zlib');
const [port, kind, certificate, key] = process.argv.slice(2);
const large = '0123456789abcdef'.repeat(65536);

function answer(request, response) {
    if (request.url === '/text') return response.end('hello');
    if (request.url === '/large') {
        response.setHeader('Content-Encoding', 'gzip');
        return response.end(zlib.gzipSync(large));
    }
    if (request.url === '/chunks') {
        for (let i = 0; i < 100; i++) response.write('x'.repeat(1000));
        return response.end();
    }
    if (request.url === '/echo') return request.pipe(response);
    response.statusCode = 404;
    response.end();
}

const identity = certificate ? { cert: fs.readFileSync(certificate), key: fs.readFileSync(key), allowHTTP1: true } : {};
const make = {
    http: () => require('http').createServer(answer),
    https: () => require('https').createServer(identity, answer),
    h2: () => require('http2').createSecureServer(identity, answer),
    h2c: () => require('http2').createServer(answer),
};
make[kind]().listen(Number(port), '127.0.0.1');
