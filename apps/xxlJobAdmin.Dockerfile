FROM --platform=$BUILDPLATFORM maven:3-eclipse-temurin-21 AS built
WORKDIR /source
COPY . .
RUN mvn -B -ntp -DskipTests -pl xxl-job-admin -am package

FROM eclipse-temurin:21-jre
ENV PARAMS="" JAVA_OPTS=""
COPY --from=built /source/xxl-job-admin/target/xxl-job-admin-*.jar /app.jar
EXPOSE 8080
ENTRYPOINT ["sh", "-c", "exec java $JAVA_OPTS -jar /app.jar $PARAMS"]
