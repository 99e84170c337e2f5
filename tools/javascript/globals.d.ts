// What scripts of the pages find in the window, and events of their own.
interface Window {
  uPlot: any;
}
interface DocumentEventMap {
  server: CustomEvent<boolean>;
  theme: CustomEvent;
  retry: CustomEvent;
}
