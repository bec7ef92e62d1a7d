// The losses: each takes its tensors, its parameters and the upstream gradient, if gradients are wanted.

class Refusal extends Error {
  isRefusal = true
}

function refuseUnless(condition, message) {
  if (!condition) throw new Refusal(message)
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0)
const product = (sizes) => sizes.reduce((total, size) => total * size, 1)

// The reduced losses, and the upstream gradient of each of them; a mean divides by the denominator.
function reduce(losses, shape, reduction, upstream, denominator = losses.length) {
  refuseUnless(['none', 'mean', 'sum'].includes(reduction), `there is no reduction '${reduction}'`)
  if (reduction === 'none') return { value: { shape, data: losses }, upstreams: upstream?.data }
  const divisor = reduction === 'mean' ? denominator : 1
  return {
    value: { shape: [], data: [sum(losses) / divisor] },
    upstreams: upstream && losses.map(() => upstream.data[0] / divisor),
  }
}

function elementwise(loss, slope) {
  function compute({ input, target }, { reduction }, upstream) {
    refuseUnless(String(input.shape) === String(target.shape), 'input and target have different shapes')
    const differences = input.data.map((number, i) => number - target.data[i])
    const { value, upstreams } = reduce(differences.map(loss), input.shape, reduction, upstream)
    const gradient = upstreams?.map((share, i) => share * slope(differences[i]))
    return { value, gradients: gradient ? { input: gradient, target: gradient.map((number) => -number) } : {} }
  }
  return { parameters: ['reduction'], compute }
}

// Shifted first: the logarithm of a sum of unshifted exponentials overflows, and drowns small differences.
function logSoftmax(logits) {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity)
  const shifted = logits.map((logit) => logit - largest)
  const norm = Math.log(sum(shifted.map(Math.exp)))
  return shifted.map((logit) => logit - norm)
}

function crossEntropy({ input, target }, { weight, ignore_index, reduction }, upstream) {
  const axis = input.shape.length > 1 ? 1 : 0
  const [classes, rest] = [input.shape[axis], input.shape.filter((_, i) => i !== axis)]
  refuseUnless(input.shape.length > 0, 'input has no dimension for the classes')
  refuseUnless(String(rest) === String(target.shape), `target has shape [${target.shape}], not [${rest}]`)
  refuseUnless(!weight || String(weight.shape) === String([classes]), 'weight has no number for each class')

  // The place of a class of the i-th target: classes are `inner` elements apart.
  const inner = product(input.shape.slice(axis + 1))
  const place = (i, c) => (Math.floor(i / inner) * classes + c) * inner + (i % inner)
  const rows = target.data.map((c, i) => {
    const isIgnored = c === Number(ignore_index)
    refuseUnless(isIgnored || (c >= 0 && c < classes), `target ${c} is no class: there are ${classes}`)
    const logits = Array.from({ length: classes }, (_, k) => input.data[place(i, k)])
    return { c, logs: logSoftmax(logits), share: isIgnored ? 0 : (weight?.data[c] ?? 1), isIgnored }
  })
  const losses = rows.map(({ c, logs, share, isIgnored }) => (isIgnored ? 0 : -share * logs[c]))
  const denominator = sum(rows.map(({ share }) => share))
  const { value, upstreams } = reduce(losses, target.shape, reduction, upstream, denominator)
  if (!upstreams) return { value, gradients: {} }

  const gradient = input.data.map(() => 0)
  rows.forEach(({ c, logs, share, isIgnored }, i) => {
    for (let k = 0; k < classes && !isIgnored; k++) {
      gradient[place(i, k)] = upstreams[i] * share * (Math.exp(logs[k]) - (k === c ? 1 : 0))
    }
  })
  return { value, gradients: { input: gradient } }
}

export const losses = {
  MSELoss: elementwise((d) => d * d, (d) => 2 * d),
  L1Loss: elementwise(Math.abs, Math.sign),
  CrossEntropyLoss: { parameters: ['weight', 'ignore_index', 'reduction'], compute: crossEntropy },
}
