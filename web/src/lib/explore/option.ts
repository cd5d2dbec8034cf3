/** What ECharts is told to draw. Texts in tooltips are set as text, never as HTML. */

import type { Cell, Grain, Unit } from '../api/types';
import { colourOf } from '../charts/pivot';
import { axisText, exact, numberOf, short } from '../format';
import { bucketName, bucketTick } from '../zone';
import type { ChartData } from './chartdata';
import type { ChartKind } from './state';

export interface Look {
  /** Resolves `var(--name)` to the colour of the theme. */
  colour: (css: string) => string;
  font: string;
  zone: string;
}

interface Line {
  name: string;
  colour: string;
  cells: Cell[];
  values: (number | null)[];
  dashed?: boolean;
}

export function option(data: ChartData, kind: ChartKind, grain: Grain | undefined, look: Look) {
  return grain ? timeOption(data, kind, grain, look) : groupOption(data, look);
}

function axis(look: Look) {
  return {
    axisLine: { lineStyle: { color: look.colour('var(--line-strong)') } },
    axisTick: { show: false },
    axisLabel: { color: look.colour('var(--text-3)'), fontSize: 11, fontFamily: look.font },
  };
}

function valueAxis(unit: Unit | null, look: Look) {
  return {
    type: 'value',
    ...axis(look),
    axisLine: { show: false },
    splitNumber: 4,
    splitLine: { lineStyle: { color: look.colour('var(--line)') } },
    axisLabel: {
      ...axis(look).axisLabel,
      formatter: (value: number) => axisText(value, unit),
    },
  };
}

function linesOf(data: ChartData): Line[] {
  const lines: Line[] = data.series.map((one, index) => ({
    ...one,
    name: one.name || 'All',
    colour: colourOf(one.name, index),
  }));
  if (data.compared) {
    lines.push({
      name: data.result.compared_range?.name ?? 'compared',
      colour: 'var(--text-3)',
      cells: data.compared,
      values: data.compared.map(numberOf),
      dashed: true,
    });
  }
  return lines;
}

function timeOption(data: ChartData, kind: ChartKind, grain: Grain, look: Look) {
  const lines = linesOf(data);
  const names = data.buckets.map((start) => new Date(start).toISOString());
  const stacked = kind !== 'line' && data.additive;
  const markArea = kind === 'bars' || data.partial < 1 ? undefined : soFar(data.partial, look);
  return {
    animation: false,
    grid: { left: 8, right: 14, top: 14, bottom: 4, containLabel: true },
    xAxis: {
      type: 'category',
      data: names.map((name) => bucketTick(name, grain, look.zone)),
      boundaryGap: kind === 'bars',
      ...axis(look),
    },
    yAxis: valueAxis(data.unit, look),
    tooltip: tooltip(data, lines, names, grain, look),
    series: lines.map((line, index) => {
      const colour = look.colour(line.colour);
      const common = {
        name: line.name,
        data: kind === 'bars' ? paled(line.values, data.partial, colour) : line.values,
        itemStyle: { color: colour },
        markArea: index === 0 ? markArea : undefined,
      };
      if (kind === 'bars' && !line.dashed) {
        return { ...common, type: 'bar', stack: stacked ? 'all' : undefined, barMaxWidth: 40 };
      }
      return {
        ...common,
        type: 'line',
        stack: stacked && !line.dashed ? 'all' : undefined,
        // A lone known value between unknown ones has no line to lie on.
        showSymbol: line.values.filter((value) => value !== null).length < 3,
        symbolSize: 5,
        connectNulls: false,
        lineStyle: {
          color: colour,
          width: line.dashed ? 1.2 : 1.8,
          type: line.dashed ? 'dashed' : 'solid',
        },
        areaStyle: stacked && !line.dashed ? { color: colour, opacity: 0.28 } : undefined,
      };
    }),
  };
}

/** What is still going on is marked, so that nobody reads it as a fall. */
function soFar(partial: number, look: Look) {
  return {
    silent: true,
    itemStyle: { color: look.colour('var(--surface-hover)'), opacity: 0.9 },
    label: {
      color: look.colour('var(--text-3)'),
      fontFamily: look.font,
      fontSize: 11,
      position: 'insideTopRight',
    },
    data: [[{ name: 'so far', xAxis: partial - 1 }, { xAxis: partial }]],
  };
}

/** The same for bars: the last one is an outline. */
function paled(values: (number | null)[], partial: number, colour: string) {
  const itemStyle = { color: `${colour}55`, borderColor: colour, borderType: 'dashed' };
  return values.map((value, index) => (index === partial ? { value, itemStyle } : value));
}

function groupOption(data: ChartData, look: Look) {
  const bars = data.series.toReversed();
  return {
    animation: false,
    grid: { left: 8, right: 60, top: 4, bottom: 4, containLabel: true },
    yAxis: {
      type: 'category',
      data: bars.map(({ name }) => name),
      ...axis(look),
      axisLabel: { ...axis(look).axisLabel, width: 180, overflow: 'truncate' },
    },
    xAxis: valueAxis(data.unit, look),
    series: [
      {
        type: 'bar',
        barMaxWidth: 20,
        data: bars.map(({ name, values, others }) => ({
          value: values[0] ?? null,
          itemStyle: {
            color: look.colour(others ? 'var(--unknown)' : colourOf(name, 0)),
            borderRadius: [0, 3, 3, 0],
          },
        })),
        label: {
          show: true,
          position: 'right',
          color: look.colour('var(--text-2)'),
          fontSize: 11,
          fontFamily: look.font,
          formatter: ({ dataIndex }: { dataIndex: number }) =>
            short(bars[dataIndex]?.cells[0], data.unit),
        },
      },
    ],
  };
}

function tooltip(data: ChartData, lines: Line[], names: string[], grain: Grain, look: Look) {
  return {
    trigger: 'axis',
    confine: true,
    padding: 10,
    backgroundColor: look.colour('var(--surface)'),
    borderColor: look.colour('var(--line)'),
    textStyle: { color: look.colour('var(--text)'), fontFamily: look.font, fontSize: 12 },
    axisPointer: { lineStyle: { color: look.colour('var(--line-strong)') } },
    formatter: (points: { dataIndex: number }[]) => {
      const at = points[0]?.dataIndex ?? 0;
      const box = document.createElement('div');
      const title = box.appendChild(document.createElement('b'));
      title.textContent =
        bucketName(names[at] ?? '', grain, look.zone) + (at === data.partial ? ', so far' : '');
      for (const line of lines) box.appendChild(tipLine(line, at, data.unit, look));
      return box;
    },
  };
}

function tipLine(line: Line, at: number, unit: Unit | null, look: Look): HTMLElement {
  const row = document.createElement('div');
  row.className = 'chart-tip-line';
  const dot = row.appendChild(document.createElement('i'));
  dot.style.background = look.colour(line.colour);
  row.appendChild(document.createElement('span')).textContent = line.name;
  const value = row.appendChild(document.createElement('em'));
  value.textContent = short(line.cells[at], unit);
  value.title = exact(line.cells[at], unit);
  return row;
}
