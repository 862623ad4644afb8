// Where the lines of a grid stand.

/** Round numbers from low to high, about `count` of them. */
export function ticks(low, high, count) {
  const rough = (high - low) / count;
  if (!(rough > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) {
    found.push(Number((k * step).toPrecision(12)));
  }
  return found;
}

/** 1, 2 and 5 times the powers of ten; plain ticks where they are too few. */
export function logTicks(low, high) {
  const found = [];
  for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++) {
    for (const digit of [1, 2, 5]) {
      const tick = Number(`${digit}e${e}`);
      if (tick >= low && tick <= high) found.push(tick);
    }
  }
  return found.length >= 3 ? found : ticks(low, high, 4).filter((tick) => tick > 0);
}

/** A function from values to places, linear or logarithmic. */
export function scale([low, high], [from, to], log = false) {
  const bend = log ? Math.log : (value) => value;
  const start = bend(low);
  const width = bend(high) - start || 1;
  return (value) => from + ((bend(value) - start) / width) * (to - from);
}
