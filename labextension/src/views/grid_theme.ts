/** How the grid looks: Lab's own colours, so that it is at home in every theme. */

import { themeQuartz } from 'ag-grid-community';

export const THEME = themeQuartz.withParams({
  accentColor: 'var(--jp-brand-color1, #1976d2)',
  backgroundColor: 'var(--jp-layout-color1, #ffffff)',
  borderColor: 'var(--jp-border-color2, #e0e0e0)',
  browserColorScheme: 'inherit',
  cellHorizontalPadding: 8,
  chromeBackgroundColor: 'var(--jp-layout-color2, #eeeeee)',
  fontFamily: 'var(--jp-ui-font-family, system-ui, sans-serif)',
  fontSize: 'var(--jp-ui-font-size1, 13px)',
  foregroundColor: 'var(--jp-ui-font-color1, #212121)',
  headerHeight: 30,
  iconColor: 'var(--jp-ui-font-color1, #212121)',
  menuBackgroundColor: 'var(--jp-layout-color1, #ffffff)',
  menuTextColor: 'var(--jp-ui-font-color1, #212121)',
  rowHoverColor: 'var(--jp-layout-color2, #eeeeee)',
  selectedRowBackgroundColor: 'var(--jp-layout-color3, #e0e0e0)',
  wrapperBorderRadius: 2
});
