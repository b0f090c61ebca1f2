// The plotting library, which stands before our modules in the page's one script.
declare const uPlot: any;
