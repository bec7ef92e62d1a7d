// Tensors of the messages: { dtype, shape, data }, with numbers as C writes them, such as 0x1.8p+0.

const HEXADECIMAL = /^(-?)0x([0-9a-f]+)(?:\.([0-9a-f]*))?p([+-]?\d+)$/
const NOT_FINITE = { nan: NaN, inf: Infinity, '-inf': -Infinity }

export function readNumber(text) {
  const parts = HEXADECIMAL.exec(text)
  if (!parts) return NOT_FINITE[text] ?? Number(text) // an integer is decimal
  const [, sign, whole, fraction = '', exponent] = parts
  // At most 53 bits, and a power of two: both are exact, and so is their product.
  const size = parseInt(whole + fraction, 16) * 2 ** (exponent - 4 * fraction.length)
  return sign ? -size : size
}

function writeNumber(number) {
  if (Number.isNaN(number)) return 'nan'
  if (!Number.isFinite(number)) return number > 0 ? 'inf' : '-inf'
  const bits = new BigUint64Array(Float64Array.of(number).buffer)[0]
  const sign = bits >> 63n ? '-' : ''
  const exponent = Number((bits >> 52n) & 0x7ffn)
  const fraction = bits & 0xfffffffffffffn
  // Subnormal numbers lack the hidden bit, and have the exponent of the smallest normal ones.
  return exponent === 0
    ? `${sign}0x${fraction.toString(16)}p-1074`
    : `${sign}0x${(fraction | (1n << 52n)).toString(16)}p${exponent - 1075}`
}

export function readTensor({ dtype, shape, data }) {
  return { dtype, shape, data: data.map(readNumber) }
}

// JavaScript computes in float64, and rounds to float32 only here: that is better than float32 arithmetic.
export function writeTensor({ dtype, shape, data }) {
  return { dtype, shape, data: data.map((number) => writeNumber(dtype === 'float32' ? Math.fround(number) : number)) }
}
