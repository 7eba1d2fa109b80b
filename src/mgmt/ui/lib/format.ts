const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

/** `1,234,567`. */
export function count(value: number): string {
  return whole.format(value);
}

/** `1.2M`. */
export function compact(value: number): string {
  return short.format(value);
}

/** `12.3/s`; nothing at all is a dash, so that what moves stands out. */
export function rate(value: number): string {
  if (Math.abs(value) < 0.005) return "–";
  if (value < 10) return `${value.toFixed(1)}/s`;
  return value < 10_000 ? `${count(value)}/s` : `${compact(value)}/s`;
}

const units = ["B", "KiB", "MiB", "GiB", "TiB"];

/** `1.5 MiB`. */
export function bytes(value: number): string {
  let [amount, unit] = [value, 0];
  while (Math.abs(amount) >= 1024 && unit < units.length - 1) {
    amount /= 1024;
    unit++;
  }
  return `${unit === 0 || amount >= 100 ? amount.toFixed(0) : amount.toFixed(1)} ${units[unit] ?? ""}`;
}

export function byteRate(value: number): string {
  return value < 0.5 ? "–" : `${bytes(value)}/s`;
}

/** Distances between marks of what is counted: there is no half of it. */
export const countSteps: readonly number[] = Array.from({ length: 12 }, (_, power) => 10 ** power).flatMap((unit) => [
  unit,
  2 * unit,
  5 * unit,
]);

/** The same of rates, of which there are tenths. */
export const rateSteps: readonly number[] = [0.1, 0.2, 0.5, ...countSteps];

/** Distances between marks of bytes that are round in their units. */
export const byteSteps: readonly number[] = units.flatMap((_, power) =>
  [1, 2, 5, 10, 20, 50, 100, 200, 500].map((step) => step * 1024 ** power),
);

const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000] as const;

/** The same of durations. */
export const durationSteps: readonly number[] = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((step) => step * second),
  ...[1, 2, 5, 10, 15, 30].map((step) => step * minute),
  ...[1, 2, 3, 6, 12].map((step) => step * hour),
  ...[1, 2, 5, 10, 30, 100].map((step) => step * day),
];

/** `3d 4h`, `12m 5s`, `250 ms`: the two greatest parts. */
export function duration(ms: number): string {
  if (ms < 1000) return `${ms < 10 && ms > 0 ? ms.toFixed(1) : Math.round(ms)} ms`;
  const seconds = Math.floor(ms / 1000);
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "m"],
    [seconds % 60, "s"],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  return parts
    .slice(first, first + 2)
    .filter(([amount], index) => index === 0 || amount > 0)
    .map(([amount, unit]) => `${amount}${unit}`)
    .join(" ");
}

/** Local date and time. */
export function moment(ms: number): string {
  if (ms === 0) return "";
  const date = new Date(ms);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** `1 message`, `2 messages`. */
export function plural(amount: number, one: string, many = `${one}s`): string {
  return `${count(amount)} ${amount === 1 ? one : many}`;
}

/** The word for one of those: `policy` of `policies`. */
export function singular(many: string): string {
  return many.endsWith("ies") ? `${many.slice(0, -3)}y` : many.replace(/s$/, "");
}
