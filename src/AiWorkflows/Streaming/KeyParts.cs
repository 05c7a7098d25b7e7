using System.Globalization;
using System.IO.Hashing;
using System.Linq.Expressions;
using System.Text;
using AiWorkflows.Features;

namespace AiWorkflows.Streaming;

/// <summary>A key declared as a property or as <c>new { … }</c>, taken apart into canonical values.</summary>
internal sealed class KeyParts<TEvent> where TEvent : class
{
    private readonly Func<TEvent, object?>[] _parts;

    public KeyParts(LambdaExpression key)
    {
        Expression[] parts = key.Body is NewExpression created && key.Body.Type != typeof(string) ? [.. created.Arguments] : [key.Body];
        Types = [.. parts.Select(p => p.Type)];
        Properties = [.. parts.Select(p => p is MemberExpression member && member.Expression == key.Parameters[0] ? member.Member.Name : null)];
        _parts = [.. parts.Select(p => Expression.Lambda<Func<TEvent, object?>>(Expression.Convert(p, typeof(object)), key.Parameters[0]).Compile())];
    }

    public IReadOnlyList<Type> Types { get; }

    /// <summary>The property of each part; null where it is computed.</summary>
    public IReadOnlyList<string?> Properties { get; }

    /// <summary>Canonical values; null where a part is missing, so that the event belongs to no key.</summary>
    public object[]? Of(TEvent e)
    {
        var values = new object[_parts.Length];
        for (var i = 0; i < values.Length; i++)
        {
            if (_parts[i](e) is not { } part)
                return null;
            values[i] = CanonicalKey.Value(part);
        }
        return values;
    }

    /// <summary>Which of so many partitions an event belongs to: the same on every machine and in every version.</summary>
    public int Partition(TEvent e, int partitions)
    {
        if (partitions == 1)
            return 0;
        var hash = new XxHash3();
        foreach (var part in Of(e)!)
            hash.Append(part switch
            {
                string text => Encoding.UTF8.GetBytes(text + '\n'),
                byte[] bytes => bytes,
                _ => Encoding.UTF8.GetBytes(((long)part).ToString(CultureInfo.InvariantCulture) + '\n'),
            });
        return (int)(hash.GetCurrentHashAsUInt64() % (ulong)partitions);
    }
}

/// <summary>Compares canonical key values.</summary>
internal sealed class KeyPartsComparer : IEqualityComparer<object[]>
{
    public static KeyPartsComparer Instance { get; } = new();

    public bool Equals(object[]? a, object[]? b)
    {
        for (var i = 0; i < a!.Length; i++)
            if (a[i] is byte[] bytes ? !bytes.AsSpan().SequenceEqual((byte[])b![i]) : !a[i].Equals(b![i]))
                return false;
        return true;
    }

    public int GetHashCode(object[] key)
    {
        var hash = new HashCode();
        foreach (var part in key)
            if (part is byte[] bytes)
                hash.AddBytes(bytes);
            else
                hash.Add(part);
        return hash.ToHashCode();
    }
}
