/** A line of what Prometheus reads. */
export interface ScrapedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What Prometheus reads, taken apart as it would. Throws where Prometheus would not take it. */
export class Exposition {
  readonly samples: readonly ScrapedSample[];
  /** Type and help of each metric. */
  readonly kinds: ReadonlyMap<string, string>;

  constructor(text: string) {
    const lines = text.split("\n");
    if (lines.pop() !== "") throw new Error("the last line does not end");
    this.samples = lines.filter((line) => line !== "" && !line.startsWith("#")).map(sampleOf);
    const kinds = new Map<string, string>();
    for (const line of lines) {
      const [, , name, text] = /^# (TYPE|HELP) (\S+) (.*)$/.exec(line) ?? [];
      if (name !== undefined) kinds.set(name, `${kinds.get(name) ?? ""}${text} `);
    }
    this.kinds = kinds;
    const heads = lines.filter((line) => line.startsWith("# TYPE"));
    if (new Set(heads).size !== heads.length) throw new Error("a metric is there twice");
  }

  /** The value of the only line with this name and these labels among others. */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number {
    const found = this.samples.filter(
      (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    );
    const [only] = found;
    if (only === undefined || found.length > 1) throw new Error(`${found.length} lines of ${name}`);
    return only.value;
  }
}

function sampleOf(line: string): ScrapedSample {
  const { name, labels, value } =
    /^(?<name>[a-z_:][a-z0-9_:]*)(?:\{(?<labels>.*)\})? (?<value>NaN|[+-]?Inf|[-+0-9.e]+)$/i.exec(line)?.groups ?? {};
  if (name === undefined || value === undefined) throw new Error(`Prometheus cannot read '${line}'`);
  const pairs = [...(labels ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)",?/g)].map(([, key = "", text = ""]) => [
    key,
    text.replaceAll(/\\(.)/g, (_, letter: string) => (letter === "n" ? "\n" : letter)),
  ]);
  return { name, labels: Object.fromEntries(pairs), value: Number(value.replace("Inf", "Infinity")) };
}

/** What a URL gives to Prometheus. */
export async function scrape(url: string): Promise<Exposition> {
  const response = await fetch(url);
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}`);
  return new Exposition(await response.text());
}
