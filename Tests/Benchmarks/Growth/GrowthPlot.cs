using System.Globalization;
using System.Text;

namespace MailCluster.Benchmarks.Growth;

/// <summary>A picture of curves: sizes to the right, and what each work costs as a multiple of what it costs at the smallest, both in powers.</summary>
internal static class GrowthPlot
{
    private const int Width = 900, Height = 380, Left = 70, Right = 370, Top = 50, Bottom = 50;

    private static readonly string[] Colours = ["#1f6feb", "#d1242f", "#1a7f37", "#9a6700", "#8250df", "#bf3989", "#57606a"];

    /// <param name="flat">Up to this multiple a cost counts as flat: a line is drawn there.</param>
    /// <param name="measured">When and on what.</param>
    public static string Svg(GrowthCurves curves, string title, double flat, string measured)
    {
        var lines = curves.Works.Select(w => (Work: w, Ratios: curves.Sizes.Select(s => curves.Median(w, s) / curves.Median(w, curves.Sizes[0])).ToArray())).ToList();
        double most = Math.Max(4, lines.SelectMany(static l => l.Ratios).Max() ?? 1), least = Math.Min(0.5, lines.SelectMany(static l => l.Ratios).Min() ?? 1);
        double firstSize = Math.Log10(curves.Sizes[0]), lastSize = Math.Log10(curves.Sizes[^1]);
        var svg = new StringBuilder();
        svg.AppendLine($"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Width}\" height=\"{Height}\" viewBox=\"0 0 {Width} {Height}\" font-family=\"sans-serif\" font-size=\"12\">");
        svg.AppendLine($"<rect width=\"{Width}\" height=\"{Height}\" fill=\"#ffffff\"/>");
        Text(Left, 22, title, "font-size=\"15\" font-weight=\"bold\"");
        Text(Left, 38, measured, "fill=\"#57606a\" font-size=\"11\"");
        foreach (double ratio in new[] { 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024 }.Where(r => r >= least / 1.01 && r <= most * 1.01))
        {
            Line(Left, Y(ratio), Width - Right, Y(ratio), "stroke=\"#d0d7de\"");
            Text(Left - 8, Y(ratio) + 4, "× " + ratio.ToString(CultureInfo.InvariantCulture), "text-anchor=\"end\"");
        }
        foreach (int size in curves.Sizes)
        {
            Line(X(size), Top, X(size), Height - Bottom, "stroke=\"#eaeef2\"");
            Text(X(size), Height - Bottom + 18, size.ToString("#,0", CultureInfo.InvariantCulture), "text-anchor=\"middle\"");
        }
        Text((Left + Width - Right) / 2.0, Height - 12, curves.Of, "text-anchor=\"middle\"");
        Line(Left, Y(flat), Width - Right, Y(flat), "stroke=\"#57606a\" stroke-dasharray=\"5 4\"");
        Text(Width - Right + 6, Y(flat) - 4, $"× {flat.ToString(CultureInfo.InvariantCulture)}", "fill=\"#57606a\"");
        for (int i = 0; i < lines.Count; i++)
        {
            string colour = Colours[i % Colours.Length];
            string points = string.Join(' ', lines[i].Ratios.Select((r, at) => r is { } ratio ? $"{Coordinate(X(curves.Sizes[at]))},{Coordinate(Y(ratio))}" : "").Where(static p => p.Length > 0));
            svg.AppendLine($"<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>");
            double legend = Top + 14 + (i * 34);
            Line(Width - Right + 14, legend - 4, Width - Right + 34, legend - 4, $"stroke=\"{colour}\" stroke-width=\"2\"");
            Text(Width - Right + 40, legend, lines[i].Work, "");
            Text(Width - Right + 40, legend + 14, $"{Milliseconds(lines[i].Work, 0)} → {Milliseconds(lines[i].Work, ^1)} ms", "fill=\"#57606a\" font-size=\"11\"");
        }
        svg.AppendLine("</svg>");
        return svg.ToString();

        double X(double size) => Left + ((Math.Log10(size) - firstSize) / Math.Max(0.1, lastSize - firstSize) * (Width - Left - Right));

        double Y(double ratio) => Height - Bottom - ((Math.Log2(ratio) - Math.Log2(least)) / (Math.Log2(most) - Math.Log2(least)) * (Height - Top - Bottom));

        string Milliseconds(string work, Index at) => curves.Median(work, curves.Sizes[at]) is { } value ? GrowthCurves.Number(value) : "?";

        void Line(double x1, double y1, double x2, double y2, string style) =>
            svg.AppendLine($"<line x1=\"{Coordinate(x1)}\" y1=\"{Coordinate(y1)}\" x2=\"{Coordinate(x2)}\" y2=\"{Coordinate(y2)}\" {style}/>");

        void Text(double x, double y, string text, string style) =>
            svg.AppendLine($"<text x=\"{Coordinate(x)}\" y=\"{Coordinate(y)}\" {style}>{System.Security.SecurityElement.Escape(text)}</text>");
    }

    private static string Coordinate(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);
}
