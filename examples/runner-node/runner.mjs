#!/usr/bin/env node
// A runner in JavaScript: it answers each line of stdin with a line on stdout.

import { createInterface } from 'node:readline'
import { losses } from './losses.mjs'
import { readTensor, writeTensor } from './tensors.mjs'

const announcement = {
  name: 'losses-in-node',
  version: '1.0',
  language: `JavaScript (Node ${process.version})`,
  dtypes: ['float64', 'float32'],
  losses: Object.fromEntries(Object.entries(losses).map(([name, { parameters }]) => [name, { parameters }])),
  lacks: ['broadcast', 'integers', 'mixed_dtypes', 'complex', 'probabilities', 'narrow_indices'],
}

function run({ seq, loss, dtype, parameters, arguments: tensors, wrt = [], upstream }) {
  const read = Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, readTensor(tensor)]))
  const options = Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name, value?.data ? readTensor(value) : value]),
  )
  const { value, gradients } = losses[loss].compute(read, options, upstream && readTensor(upstream))
  const written = wrt
    .filter((name) => gradients[name])
    .map((name) => [name, writeTensor({ dtype, shape: read[name].shape, data: gradients[name] })])
  return { seq, value: writeTensor({ dtype, ...value }), gradients: Object.fromEntries(written) }
}

function answer(message) {
  try {
    return run(message)
  } catch (error) {
    // A mistake in a call has words for it; any other error is a bug of ours, and ends us with its traceback.
    if (error.isRefusal) return { seq: message.seq, refused: error.message }
    throw error
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line)
  if (message.cmd === 'stop') process.exit(0)
  console.log(JSON.stringify(message.cmd === 'start' ? announcement : answer(message)))
}
