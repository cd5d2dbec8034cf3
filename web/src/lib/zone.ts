/** Dates in the organisation's zone, which is not the browser's. */

export interface Day {
  year: number;
  month: number;
  day: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const name = zone + JSON.stringify(options);
  let found = formats.get(name);
  if (!found) {
    found = new Intl.DateTimeFormat('en-GB', { timeZone: zone, ...options });
    formats.set(name, found);
  }
  return found;
}

function parts(instant: Date, zone: string): Record<string, number> {
  const found = format(zone, {
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
    hourCycle: 'h23',
  }).formatToParts(instant);
  return Object.fromEntries(found.map((part) => [part.type, Number(part.value)]));
}

/** The local date of an instant. */
export function dayOf(instant: Date, zone: string): Day {
  const { year = 0, month = 1, day = 1 } = parts(instant, zone);
  return { year, month, day };
}

/** How far ahead of UTC the zone is then, in milliseconds. */
function offset(instant: Date, zone: string): number {
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts(instant, zone);
  const local = Date.UTC(year, month - 1, day, hour, minute, second);
  return local - Math.floor(instant.getTime() / 1_000) * 1_000;
}

/** The instant a local day begins; where midnight is skipped, the first instant after. */
export function midnight(day: Day, zone: string): Date {
  const wanted = Date.UTC(day.year, day.month - 1, day.day);
  // The offset at the answer is what counts: a second look corrects a change of the clocks.
  let guess = wanted - offset(new Date(wanted), zone);
  guess = wanted - offset(new Date(guess), zone);
  const at = new Date(guess);
  return dayOf(at, zone).day === new Date(wanted).getUTCDate() ? at : new Date(guess + 3_600_000);
}

export function addDays(day: Day, days: number): Day {
  const moved = new Date(Date.UTC(day.year, day.month - 1, day.day + days));
  return { year: moved.getUTCFullYear(), month: moved.getUTCMonth() + 1, day: moved.getUTCDate() };
}

const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

/** The first day of the week that holds a day. */
export function weekStart(day: Day, weekStarts: string): Day {
  const weekday = new Date(Date.UTC(day.year, day.month - 1, day.day)).getUTCDay();
  const first = Math.max(
    0,
    WEEKDAYS.findIndex((name) => name.startsWith(weekStarts.toLowerCase().slice(0, 3))),
  );
  return addDays(day, -((weekday - first + 7) % 7));
}

/** 2026-07-28 */
export function isoDay(day: Day): string {
  const pad = (value: number) => String(value).padStart(2, '0');
  return `${day.year}-${pad(day.month)}-${pad(day.day)}`;
}

export function parseDay(text: string): Day | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!match) return null;
  const day = { year: Number(match[1]), month: Number(match[2]), day: Number(match[3]) };
  return isoDay(addDays(day, 0)) === text ? day : null;
}

/** Tue 28 Jul 2026, 14:05:09 CEST */
export function fullTime(instant: string | Date, zone: string): string {
  return format(zone, {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  }).format(new Date(instant));
}

/** 28 Jul, 14:05 */
export function shortTime(instant: string | Date, zone: string): string {
  return format(zone, {
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
  }).format(new Date(instant));
}

/** 14:05:09 */
export function clockTime(instant: string | Date, zone: string): string {
  return format(zone, { hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(
    new Date(instant),
  );
}

/** 28 Jul 2026 */
export function fullDay(instant: string | Date, zone: string): string {
  return format(zone, { day: 'numeric', month: 'short', year: 'numeric' }).format(
    new Date(instant),
  );
}

/** A bucket of a series as an axis or a table says it. */
export function bucketName(instant: string, grain: string, zone: string): string {
  const at = new Date(instant);
  switch (grain) {
    case 'quarter_hour':
    case 'hour':
      return format(zone, {
        weekday: 'short',
        day: 'numeric',
        month: 'short',
        hour: '2-digit',
        minute: '2-digit',
      }).format(at);
    case 'week':
      return `Week of ${format(zone, { day: 'numeric', month: 'short' }).format(at)}`;
    case 'month':
      return format(zone, { month: 'short', year: 'numeric' }).format(at);
    case 'quarter': {
      const { year, month } = dayOf(at, zone);
      return `Q${Math.ceil(month / 3)} ${year}`;
    }
    case 'year':
      return String(dayOf(at, zone).year);
    default:
      return format(zone, { weekday: 'short', day: 'numeric', month: 'short' }).format(at);
  }
}

/** The same, as short as an axis needs it. */
export function bucketTick(instant: string, grain: string, zone: string): string {
  const at = new Date(instant);
  if (grain === 'quarter_hour' || grain === 'hour') {
    const { hour, minute } = parts(at, zone);
    if (hour === 0 && minute === 0)
      return format(zone, { day: 'numeric', month: 'short' }).format(at);
    return format(zone, { hour: '2-digit', minute: '2-digit' }).format(at);
  }
  if (grain === 'week' || grain === 'day')
    return format(zone, { day: 'numeric', month: 'short' }).format(at);
  return bucketName(instant, grain, zone);
}

/** Mon 20 Jul – Sun 26 Jul; with times where a range does not end at midnight. */
export function spanName(from: string, to: string, zone: string): string {
  const last = new Date(new Date(to).getTime() - 1);
  const day = (at: Date) =>
    format(zone, { weekday: 'short', day: 'numeric', month: 'short' }).format(at);
  const start = new Date(from);
  const whole = midnight(dayOf(start, zone), zone).getTime() === start.getTime();
  if (whole) {
    return isoDay(dayOf(start, zone)) === isoDay(dayOf(last, zone))
      ? day(start)
      : `${day(start)} – ${day(last)}`;
  }
  return `${shortTime(start, zone)} – ${shortTime(to, zone)}`;
}

/** 3 min ago */
export function ago(instant: string | Date, now: Date = new Date()): string {
  const seconds = Math.round((now.getTime() - new Date(instant).getTime()) / 1_000);
  if (seconds < 5) return 'just now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}
