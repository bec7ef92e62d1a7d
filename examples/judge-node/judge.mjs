#!/usr/bin/env node
// Judges losses in JavaScript by the data alone; docs/INTERPRETING.md says what each line of it means.

import { createInterface } from 'node:readline'
import { losses } from '../runner-node/losses.mjs'
import { readNumber, readTensor, writeTensor } from '../runner-node/tensors.mjs'

const nameOf = (number) => (Number.isNaN(number) ? 'nan' : number > 0 ? 'inf' : '-inf')

// The error of each element over its budget, and whether anything passes only because something overflows.
function compare(numbers, { true: truth, rest, budget, also }, largest) {
  let hasOverflowed = false
  const shares = numbers.map((number, i) => {
    const exact = readNumber(truth[i])
    if (Number.isFinite(number) && Number.isFinite(exact)) {
      const error = Math.abs(number - exact - (rest ? readNumber(rest[i]) : 0))
      return error === 0 ? 0 : error / readNumber(budget[i])
    }
    if (Object.is(number, exact)) return 0
    if (!also?.[i].includes(nameOf(number))) return Infinity
    hasOverflowed ||= Math.abs(exact) <= largest // beyond it, an infinity is the right rounding
    return 0
  })
  return { worst: Math.max(0, ...shares), hasOverflowed }
}

function judge(tensor, expected, largest) {
  if (String(tensor.shape) !== String(expected.shape) || tensor.dtype !== expected.dtype) return 'disagree'
  const { worst, hasOverflowed } = compare(tensor.data, expected, largest)
  if (worst <= 1) return hasOverflowed ? 'overflowed' : 'agree'
  const isOther = expected.otherwise?.some((other) => compare(tensor.data, other, largest).worst <= 1)
  return isOther ? 'other convention' : worst <= 2 ? 'close' : 'disagree'
}

// What an implementation yields for a call: tensors in the dtype of the run, by quantity.
function compute({ loss, dtype, parameters, arguments: args, wrt = [], upstreams = [] }) {
  const inDtype = (value) => readTensor(writeTensor({ dtype, ...value }))
  const tensors = Object.fromEntries(Object.entries(args).map(([name, tensor]) => [name, readTensor(tensor)]))
  const options = Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name, value?.data ? readTensor(value) : value]),
  )
  const quantities = { value: inDtype(losses[loss].compute(tensors, options).value) }
  upstreams.forEach((upstream, place) => {
    const { gradients } = losses[loss].compute(tensors, options, readTensor(upstream))
    for (const name of wrt.filter((name) => gradients[name])) {
      const gradient = { shape: tensors[name].shape, data: gradients[name] }
      quantities[`${['gradient', 'vjp'][place]}:${name}`] = inDtype(gradient)
    }
  })
  return quantities
}

function outcomes(call, dtypes) {
  const lacked = call.given.some((name) => !losses[call.loss]?.parameters.includes(name))
  if (!losses[call.loss] || !['float64', 'float32'].includes(call.dtype) || lacked) return {}
  try {
    const quantities = compute(call)
    if (call.refuse) return { raises: call.refuse === 'index' ? 'disagree' : 'accepts' }
    const pairs = Object.entries(call.expect).filter(([name]) => quantities[name])
    const largest = readNumber(dtypes[call.dtype].largest)
    return Object.fromEntries(pairs.map(([name, expected]) => [name, judge(quantities[name], expected, largest)]))
  } catch (error) {
    if (error.isUnsupported) return {}
    return call.refuse ? { raises: 'agree' } : { value: 'error' }
  }
}

let head
for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line)
  if (head) console.log(JSON.stringify({ id: message.id, outcomes: outcomes(message, head.dtypes) }))
  else head = message
}
