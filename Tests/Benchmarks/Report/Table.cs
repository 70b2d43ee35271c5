using System.Text;

namespace MailCluster.Benchmarks.Report;

/// <summary>Rows as a Markdown table whose columns stand below each other, so that it is one to the eye as well.</summary>
internal sealed class Table(params string[] heads)
{
    private readonly List<string[]> _rows = [heads];

    public void Add(params string[] row) => _rows.Add(row);

    public override string ToString()
    {
        int[] widths = [.. Enumerable.Range(0, heads.Length).Select(c => _rows.Max(r => r[c].Length))];
        var text = new StringBuilder();
        for (int r = 0; r < _rows.Count; r++)
        {
            text.Append("| ").AppendJoin(" | ", _rows[r].Select((cell, c) => c == 0 ? cell.PadRight(widths[c]) : cell.PadLeft(widths[c]))).AppendLine(" |");
            if (r == 0)
                text.Append("| ").AppendJoin(" | ", widths.Select(static (w, c) => c == 0 ? new string('-', w) : new string('-', w - 1) + ":")).AppendLine(" |");
        }
        return text.ToString();
    }
}
