using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Checks;

/// <summary>
/// An acknowledged STORE of annotations is read by what starts after it, by who may know of them; copies have those of the original that who copies knows of, and messages what they came with (RFC 5257).
/// Messages that may be gone are left out.
/// </summary>
internal static class AnnotationReads
{
    public static IEnumerable<Violation> Check(Chronicle chronicle) => chronicle.Mailboxes.SelectMany(static m => m.Messages).SelectMany(Read);

    private static IEnumerable<Violation> Read(MessageChronicle message)
    {
        foreach (Reading<SeenAnnotations> reading in message.AnnotationReadings)
        {
            if (reading.At >= message.MayGo.At)
                continue;
            foreach (Annotation told in reading.Told.Told)
            {
                AnnotationRegister register = message.Annotation(told.Name);
                if (register.Could(told.Value, reading.From, reading.At))
                    continue;
                Operation? other = register.Overwriting(told.Value, reading.From);
                string why = other is not null ? $"operation {other.Number} had changed it before, and nothing has since" : "nothing can have made it so";
                yield return Checker.Broken("annotations", $"{message.Subject} {told.Name}", $"{message} is told with {told} in operation {reading.By.Number}, but {why}", other ?? message.Origin, reading.By);
            }
        }
    }
}
