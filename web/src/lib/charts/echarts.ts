/** The parts of ECharts that are used; loaded only where one is drawn. */

import { BarChart, LineChart } from 'echarts/charts';
import { GridComponent, MarkAreaComponent, TooltipComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';

use([BarChart, LineChart, GridComponent, MarkAreaComponent, TooltipComponent, CanvasRenderer]);

export { init };
