using System.Text;

namespace MailCluster.Tests.Fuzz;

/// <summary>Makes inputs of seeds: pieces are changed, left out, said twice, swapped between seeds, and words of the protocol are put in. The same random numbers make the same inputs.</summary>
public sealed class Mutator(IReadOnlyList<byte[]> seeds, IReadOnlyList<string> words, Random random)
{
    private const int MaxLength = 20_000;

    private readonly byte[][] _words = [.. words.Select(Encoding.Latin1.GetBytes)];

    public byte[] Next()
    {
        var input = new List<byte>(seeds[random.Next(seeds.Count)]);
        for (int changes = 1 + (random.Next(4) == 0 ? random.Next(30) : random.Next(5)); changes > 0; changes--)
            Change(input);
        if (input.Count > MaxLength)
            input.RemoveRange(MaxLength, input.Count - MaxLength);
        return [.. input];
    }

    private void Change(List<byte> input)
    {
        int at = random.Next(input.Count + 1);
        int length = Math.Min(input.Count - at, 1 + (random.Next(3) == 0 ? random.Next(200) : random.Next(8)));
        switch (random.Next(10))
        {
            case 0 when length > 0:
                input[at] = (byte)random.Next(256);
                break;
            case 1 when length > 0:
                input[at] ^= (byte)(1 << random.Next(8));
                break;
            case 2:
                input.RemoveRange(at, length);
                break;
            case 3:
                input.InsertRange(at, input.GetRange(at, length));
                break;
            case 4:
                byte[] other = seeds[random.Next(seeds.Count)];
                int from = random.Next(other.Length + 1);
                input.InsertRange(at, other.Skip(from).Take(random.Next(100)));
                break;
            case 5:
                byte[] tail = seeds[random.Next(seeds.Count)];
                input.RemoveRange(at, input.Count - at);
                input.AddRange(tail.Skip(random.Next(tail.Length + 1)));
                break;
            case 6:
                input.InsertRange(at, Encoding.ASCII.GetBytes(Number()));
                break;
            case 7:
                byte[] repeated = _words[random.Next(_words.Length)];
                for (int i = random.Next(40); i > 0; i--)
                    input.InsertRange(at, repeated);
                break;
            default:
                input.InsertRange(at, _words[random.Next(_words.Length)]);
                break;
        }
    }

    /// <summary>Numbers stand at the edges of what fits.</summary>
    private string Number() => random.Next(8) switch
    {
        0 => "0",
        1 => "4294967295",
        2 => "4294967296",
        3 => "9223372036854775807",
        4 => "18446744073709551616",
        5 => "-1",
        6 => "00000000000000000000001",
        _ => random.Next(100_000).ToString(),
    };
}
