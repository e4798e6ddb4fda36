// Listens at 127.0.0.1 alone.
const cds = require('@sap/cds')
const app = require('express')()
const listen = app.listen.bind(app)
app.listen = port => listen(port, '127.0.0.1')
module.exports = options => cds.server({ ...options, app })
